import { Body, Controller, Get, Param, Post, Redirect, Render, Req, UseGuards } from '@nestjs/common';
import type { Customer } from '../accounts/customer.entity.js';
import { CustomerGuard } from '../accounts/guards.js';
import { Page } from '../accounts/page.js';
import type { Session } from '../accounts/session.entity.js';
import { CurrentCustomer, CurrentVisitor, type VisitorRequest } from '../accounts/visitor.js';
import { PublicUrl, type Redirection } from '../public-url.js';
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
    private readonly publicUrl: PublicUrl,
  ) {}

  @Post('checkout')
  @Redirect()
  async checkOut(
    @CurrentVisitor() { session, customer }: { session: Session; customer: Customer },
    @Body() { method }: CheckoutBody,
    @Req() request: VisitorRequest,
  ): Promise<Redirection> {
    const orderNo = await this.checkout.checkOut(session, customer, method);
    return this.publicUrl.seeOther(request, `/orders/${orderNo}`);
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
