import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CartClaim } from './cart-claim.entity.js';
import { CheckoutService } from './checkout.service.js';
import { CustomerOrder } from './customer-order.entity.js';
import { OrderItem } from './order-item.entity.js';
import { OrdersController } from './orders.controller.js';
import { OrdersPages } from './orders.pages.js';
import { OrdersService } from './orders.service.js';
import { Payment } from './payment.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([CustomerOrder, OrderItem, Payment, CartClaim])],
  controllers: [OrdersController, OrdersPages],
  providers: [CheckoutService, OrdersService],
})
export class OrdersModule {}
