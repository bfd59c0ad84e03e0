import { ConflictException, Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import type { Customer } from '../accounts/customer.entity.js';
import type { Session } from '../accounts/session.entity.js';
import { CartItem } from '../cart/cart-item.entity.js';
import { Cart } from '../cart/cart.entity.js';
import { toDecimal, toUnits } from '../catalog/price.js';
import { Product } from '../catalog/product.entity.js';
import { despiteDeadlocks } from '../despite-deadlocks.js';
import { LocalClock } from '../local-time.js';
import { StockReservation } from '../stock/stock-reservation.entity.js';
import { Stock } from '../stock/stock.entity.js';
import { StockService, available } from '../stock/stock.service.js';
import { OrderLine } from './order-line.entity.js';
import { Order } from './order.entity.js';
import { Payment, type PaymentMethod } from './payment.entity.js';

interface Position {
  readonly product: Product;
  readonly qty: number;
  readonly price: string;
}

@Injectable()
export class CheckoutService {
  constructor(
    private readonly database: DataSource,
    private readonly stock: StockService,
    private readonly clock: LocalClock,
  ) {}

  /** Turns the cart of the session into an order, in one transaction. Gives the order number; 409 when it cannot be delivered. */
  async checkOut(session: Session, customer: Customer, method: PaymentMethod): Promise<string> {
    const placed = await this.inTransaction(async (manager) => {
      const cart = await lockCart(manager, session);
      const positions = await positionsOf(manager, cart);
      const reservations = await this.reserve(manager, cart, positions);
      const order = await this.place(manager, customer, positions, method);
      await this.deliver(manager, order, positions, reservations);
      await manager.delete(CartItem, { cart_id: cart.id });
      return { orderNo: order.order_no ?? '', productIds: positions.map(({ product }) => product.id) };
    });
    await this.stock.announce(placed.productIds);
    return placed.orderNo;
  }

  private async reserve(manager: EntityManager, cart: Cart, positions: Position[]): Promise<number[]> {
    const created = this.clock.now();
    // Always in the order of the key: two carts with the same products would lock each other out otherwise.
    const rows = await manager.find(Stock, {
      where: { product_id: In(positions.map(({ product }) => product.id)) },
      order: { product_id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    const stockOf = new Map(rows.map((row) => [row.product_id, row]));
    const ids: number[] = [];
    for (const { product, qty } of positions) {
      const row = stockOf.get(product.id);
      if (!row || available(row) < qty) throw new ConflictException(`Not enough of ${product.name} in stock`);
      row.reserved = (row.reserved ?? 0) + qty;
      await manager.update(Stock, product.id, { reserved: row.reserved, modified: created });
      const reservation = { product_id: product.id, cart_id: cart.id, qty, created, released: 0 };
      ids.push((await manager.save(StockReservation, reservation)).id);
    }
    return ids;
  }

  private async place(
    manager: EntityManager,
    customer: Customer,
    positions: Position[],
    method: PaymentMethod,
  ): Promise<Order> {
    const placed = this.clock.now();
    const total = toDecimal(positions.reduce((sum, { price, qty }) => sum + toUnits(price, 2) * qty, 0));
    const { street, city, zip } = customer;
    const order = await manager.save(Order, {
      customer_id: customer.id,
      status: 'new',
      total,
      street,
      city,
      zip,
      placed,
    });
    order.order_no = `B${String(order.id).padStart(6, '0')}`;
    await manager.update(Order, order.id, { order_no: order.order_no });
    for (const { product, qty, price } of positions)
      await manager.insert(OrderLine, {
        order_id: order.id,
        product_id: product.id,
        name: product.name,
        qty,
        price,
        tax_pct: product.tax_pct,
      });
    await manager.insert(Payment, {
      order_id: order.id,
      method,
      amount: total,
      status: 'open',
      created: placed,
    });
    return order;
  }

  private async deliver(
    manager: EntityManager,
    order: Order,
    positions: Position[],
    reservations: number[],
  ): Promise<void> {
    for (const { product, qty } of positions)
      await manager.query(
        'UPDATE stock SET on_hand = on_hand - ?, reserved = reserved - ?, modified = ? WHERE product_id = ?',
        [qty, qty, this.clock.now(), product.id],
      );
    // By key: a search for the cart would lock the reservations of everybody who is checking out.
    await manager.update(StockReservation, reservations, { released: 1, order_id: order.id });
  }

  private inTransaction<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return despiteDeadlocks(() => this.database.transaction(work));
  }
}

/** Holds the cart: the same one cannot be checked out twice at once. */
async function lockCart(manager: EntityManager, { sid }: Session): Promise<Cart> {
  const cart = await manager.findOne(Cart, {
    where: { sid },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write' },
  });
  if (!cart) throw new ConflictException('The cart is empty');
  return cart;
}

async function positionsOf(manager: EntityManager, cart: Cart): Promise<Position[]> {
  const items = await manager.find(CartItem, { where: { cart_id: cart.id }, order: { id: 'ASC' } });
  if (items.length === 0) throw new ConflictException('The cart is empty');
  const products = await manager.findBy(Product, { id: In(items.map((item) => item.product_id)) });
  return items.map(({ product_id, qty, price }) => {
    const product = products.find(({ id }) => id === product_id);
    if (!product || product.status !== 'active' || product.deleted_at !== null)
      throw new ConflictException(`Product ${product_id} can no longer be bought`);
    return { product, qty: qty ?? 0, price: price ?? '0.00' };
  });
}
