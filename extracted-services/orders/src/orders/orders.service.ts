import { ConflictException, Inject, Injectable, NotFoundException } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { despiteDeadlocks } from '../despite-deadlocks.js';
import { ENVIRONMENT, type Environment } from '../environment.js';
import { Clock } from '../local-time.js';
import type { Customer } from '../shop/shop.js';
import { SHOP_STATUS, toOrder, toSummary, type OrderAnswer, type OrderSummaryAnswer } from './answers.js';
import { CustomerOrder } from './customer-order.entity.js';
import { OrderItem } from './order-item.entity.js';
import { Payment, type PaymentMethod } from './payment.entity.js';

/** A customer's own orders. Another customer's order is one that is not there. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  async list(customer: Customer): Promise<OrderSummaryAnswer[]> {
    const orders = await this.database.manager.find(CustomerOrder, {
      where: { customerId: customer.id, withdrawn: IsNull() },
      order: { placedAt: 'DESC', id: 'DESC' },
    });
    return orders.map((order) => toSummary(order, this.environment.timezone));
  }

  async one(customer: Customer, number: string): Promise<OrderAnswer> {
    const { manager } = this.database;
    const order = await find(manager, customer, number, false);
    const items = await manager.find(OrderItem, { where: { orderId: order.id }, order: { id: 'ASC' } });
    const payments = await manager.find(Payment, { where: { orderId: order.id }, order: { id: 'ASC' } });
    return toOrder(order, items, payments, this.environment.timezone);
  }

  async pay(customer: Customer, number: string, method: PaymentMethod): Promise<OrderAnswer> {
    await this.inTransaction(async (manager) => {
      const order = await find(manager, customer, number, true);
      if (order.state !== 'placed') throw isIn(order);
      await manager.update(
        Payment,
        { orderId: order.id, state: 'pending' },
        { state: 'captured', method, reference: `TX-${order.number}`, createdAt: this.clock.now() },
      );
      await manager.update(CustomerOrder, order.id, { state: 'paid' });
    });
    return this.one(customer, number);
  }

  /** Puts everything back on the shelf. 409 once it is shipped. */
  async cancel(customer: Customer, number: string): Promise<OrderAnswer> {
    await this.inTransaction(async (manager) => {
      const order = await find(manager, customer, number, true);
      if (order.state !== 'placed' && order.state !== 'paid') throw isIn(order);
      await manager.update(CustomerOrder, order.id, { state: 'cancelled' });
      await manager.update(Payment, { orderId: order.id, state: 'pending' }, { state: 'failed' });
      await manager.update(Payment, { orderId: order.id, state: 'captured' }, { state: 'refunded' });
      const items = await manager.find(OrderItem, {
        where: { orderId: order.id },
        order: { productId: 'ASC' },
      });
      for (const { productId, quantity } of items)
        await manager.query(
          'UPDATE stock_level SET on_hand = on_hand + ?, modified_at = ? WHERE product_id = ?',
          [quantity, this.clock.now(), productId],
        );
    });
    return this.one(customer, number);
  }

  private inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return despiteDeadlocks(() => this.database.transaction(work));
  }
}

const isIn = ({ number, state }: CustomerOrder): ConflictException =>
  new ConflictException(`Order ${number} is ${state && SHOP_STATUS[state]}`);

async function find(
  manager: EntityManager,
  customer: Customer,
  number: string,
  locked: boolean,
): Promise<CustomerOrder> {
  const order = await manager.findOne(CustomerOrder, {
    where: { number, customerId: customer.id, withdrawn: IsNull() },
    ...(locked && { lock: { mode: 'pessimistic_write' } }),
  });
  if (!order) throw new NotFoundException(`Order ${number} not found`);
  return order;
}
