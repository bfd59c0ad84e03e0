import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CartModule } from '../cart/cart.module.js';
import { StockModule } from '../stock/stock.module.js';
import { CheckoutService } from './checkout.service.js';
import { OrderLine } from './order-line.entity.js';
import { Order } from './order.entity.js';
import { OrdersController } from './orders.controller.js';
import { OrdersPages } from './orders.pages.js';
import { OrdersService } from './orders.service.js';
import { Payment } from './payment.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([Order, OrderLine, Payment]), CartModule, StockModule],
  controllers: [OrdersController, OrdersPages],
  providers: [CheckoutService, OrdersService],
})
export class OrdersModule {}
