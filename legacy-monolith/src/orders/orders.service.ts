import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import type { Customer } from '../accounts/customer.entity.js';
import { despiteDeadlocks } from '../despite-deadlocks.js';
import { LocalClock } from '../local-time.js';
import { StockService } from '../stock/stock.service.js';
import { toOrder, toSummary, type OrderAnswer, type OrderSummaryAnswer } from './answers.js';
import { OrderLine } from './order-line.entity.js';
import { Order } from './order.entity.js';
import { Payment, type PaymentMethod } from './payment.entity.js';

/** A customer's own orders. Another customer's order is one that is not there. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly database: DataSource,
    private readonly stock: StockService,
    private readonly clock: LocalClock,
  ) {}

  async list(customer: Customer): Promise<OrderSummaryAnswer[]> {
    const rows = await this.database.manager.find(Order, {
      where: { customer_id: customer.id, deleted: IsNull() },
      order: { placed: 'DESC', id: 'DESC' },
    });
    return rows.map(toSummary);
  }

  async one(customer: Customer, orderNo: string): Promise<OrderAnswer> {
    const { manager } = this.database;
    const order = await find(manager, customer, orderNo, false);
    const lines = await manager.find(OrderLine, { where: { order_id: order.id }, order: { id: 'ASC' } });
    const payments = await manager.find(Payment, { where: { order_id: order.id }, order: { id: 'ASC' } });
    return toOrder(order, lines, payments);
  }

  async pay(customer: Customer, orderNo: string, method: PaymentMethod): Promise<OrderAnswer> {
    await this.inTransaction(async (manager) => {
      const order = await find(manager, customer, orderNo, true);
      if (order.status !== 'new') throw new ConflictException(`Order ${orderNo} is ${order.status}`);
      await manager.update(
        Payment,
        { order_id: order.id, status: 'open' },
        { status: 'paid', method, ref: `TX-${order.order_no}`, created: this.clock.now() },
      );
      await manager.update(Order, order.id, { status: 'paid' });
    });
    return this.one(customer, orderNo);
  }

  /** Puts everything back on the shelf. 409 once it is shipped. */
  async cancel(customer: Customer, orderNo: string): Promise<OrderAnswer> {
    const productIds = await this.inTransaction(async (manager) => {
      const order = await find(manager, customer, orderNo, true);
      if (order.status !== 'new' && order.status !== 'paid')
        throw new ConflictException(`Order ${orderNo} is ${order.status}`);
      await manager.update(Order, order.id, { status: 'cancelled' });
      await manager.update(Payment, { order_id: order.id, status: 'open' }, { status: 'failed' });
      await manager.update(Payment, { order_id: order.id, status: 'paid' }, { status: 'refunded' });
      const lines = await manager.find(OrderLine, {
        where: { order_id: order.id },
        order: { product_id: 'ASC' },
      });
      for (const { product_id, qty } of lines)
        await manager.query('UPDATE stock SET on_hand = on_hand + ?, modified = ? WHERE product_id = ?', [
          qty,
          this.clock.now(),
          product_id,
        ]);
      return lines.map(({ product_id }) => product_id ?? 0);
    });
    await this.stock.announce(productIds);
    return this.one(customer, orderNo);
  }

  private inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return despiteDeadlocks(() => this.database.transaction(work));
  }
}

async function find(
  manager: EntityManager,
  customer: Customer,
  orderNo: string,
  locked: boolean,
): Promise<Order> {
  const order = await manager.findOne(Order, {
    where: { order_no: orderNo, customer_id: customer.id, deleted: IsNull() },
    ...(locked && { lock: { mode: 'pessimistic_write' } }),
  });
  if (!order) throw new NotFoundException(`Order ${orderNo} not found`);
  return order;
}
