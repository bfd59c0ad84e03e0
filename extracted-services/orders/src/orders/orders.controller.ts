import { Body, Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCookieAuth,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiParam,
  ApiSecurity,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { CurrentCustomer, CurrentSession, CustomerGuard } from '../shop/guards.js';
import type { Customer, Session } from '../shop/shop.js';
import { CheckoutBody, OrderAnswer, OrderSummaryAnswer, PaymentBody } from './answers.js';
import { CheckoutService } from './checkout.service.js';
import { OrdersService } from './orders.service.js';

@ApiTags('orders')
@ApiCookieAuth()
@ApiUnauthorizedResponse()
@UseGuards(CustomerGuard)
@Controller('api')
export class OrdersController {
  constructor(
    private readonly checkout: CheckoutService,
    private readonly orders: OrdersService,
  ) {}

  @Post('checkout')
  @ApiSecurity('csrf')
  @ApiCreatedResponse({ type: OrderAnswer })
  @ApiConflictResponse()
  async checkOut(
    @CurrentSession() session: Session,
    @CurrentCustomer() customer: Customer,
    @Body() { method }: CheckoutBody,
  ): Promise<OrderAnswer> {
    return this.orders.one(customer, await this.checkout.checkOut(session, customer, method));
  }

  @Get('orders')
  @ApiOkResponse({ type: [OrderSummaryAnswer] })
  list(@CurrentCustomer() customer: Customer): Promise<OrderSummaryAnswer[]> {
    return this.orders.list(customer);
  }

  @Get('orders/:no')
  @ApiParam({ name: 'no', example: 'B000001' })
  @ApiOkResponse({ type: OrderAnswer })
  @ApiNotFoundResponse()
  one(@CurrentCustomer() customer: Customer, @Param('no') no: string): Promise<OrderAnswer> {
    return this.orders.one(customer, no);
  }

  @Post('orders/:no/cancel')
  @HttpCode(200)
  @ApiSecurity('csrf')
  @ApiParam({ name: 'no', example: 'B000001' })
  @ApiOkResponse({ type: OrderAnswer })
  @ApiNotFoundResponse()
  @ApiConflictResponse()
  cancel(@CurrentCustomer() customer: Customer, @Param('no') no: string): Promise<OrderAnswer> {
    return this.orders.cancel(customer, no);
  }

  @Post('orders/:no/payments')
  @ApiSecurity('csrf')
  @ApiParam({ name: 'no', example: 'B000001' })
  @ApiCreatedResponse({ type: OrderAnswer })
  @ApiNotFoundResponse()
  @ApiConflictResponse()
  pay(
    @CurrentCustomer() customer: Customer,
    @Param('no') no: string,
    @Body() { method }: PaymentBody,
  ): Promise<OrderAnswer> {
    return this.orders.pay(customer, no, method);
  }
}
