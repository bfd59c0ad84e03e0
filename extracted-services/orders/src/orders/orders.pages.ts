import { Body, Controller, Get, Param, Post, Redirect, Render, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { Page, publicUrl } from '../pages/page.js';
import { CurrentCustomer, CurrentSession, CustomerGuard } from '../shop/guards.js';
import type { Customer, Session } from '../shop/shop.js';
import { CheckoutBody } from './answers.js';
import { CheckoutService } from './checkout.service.js';
import { OrdersService } from './orders.service.js';

@Page()
@UseGuards(CustomerGuard)
@Controller()
export class OrdersPages {
  constructor(
    private readonly checkout: CheckoutService,
    private readonly orders: OrdersService,
  ) {}

  @Post('checkout')
  @Redirect()
  async checkOut(
    @CurrentSession() session: Session,
    @CurrentCustomer() customer: Customer,
    @Body() { method }: CheckoutBody,
    @Req() request: Request,
  ): Promise<{ url: string; statusCode: number }> {
    const number = await this.checkout.checkOut(session, customer, method);
    return { url: publicUrl(request, `/orders/${number}`), statusCode: 303 };
  }

  @Get('orders')
  @Render('orders')
  async list(@CurrentCustomer() customer: Customer) {
    return { title: 'Orders', orders: await this.orders.list(customer) };
  }

  @Get('orders/:no')
  @Render('order')
  async one(@CurrentCustomer() customer: Customer, @Param('no') no: string) {
    return { title: `Order ${no}`, order: await this.orders.one(customer, no) };
  }
}
