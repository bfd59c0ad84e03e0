import { ConflictException, Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import { despiteDeadlocks } from '../despite-deadlocks.js';
import { Clock } from '../local-time.js';
import { toMinor } from '../money.js';
import { SHOP, type Address, type CartLine, type Customer, type Session, type Shop } from '../shop/shop.js';
import { available } from '../stock/answers.js';
import { StockLevel } from '../stock/stock-level.entity.js';
import { StockReservation } from '../stock/stock-reservation.entity.js';
import { CartClaim } from './cart-claim.entity.js';
import { CustomerOrder } from './customer-order.entity.js';
import { OrderItem } from './order-item.entity.js';
import { Payment, type PaymentMethod } from './payment.entity.js';

/** A line of the cart with what the order needs to know of its product. */
interface Position extends CartLine {
  readonly taxPermille: number | null;
  readonly active: boolean;
}

@Injectable()
export class CheckoutService {
  private readonly logger = new Logger('checkout');

  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
    @Inject(SHOP) private readonly shop: Shop,
  ) {}

  /**
   * Turns the cart of the session into an order: claim, stock, number, lines and payment in one transaction. The cart is the shop's and is
   * emptied after it; what could not be emptied is claimed and in no second order. Gives the order number; 409 when it cannot be delivered.
   */
  async checkOut(session: Session, customer: Customer, method: PaymentMethod): Promise<string> {
    const cart = await this.shop.cart(session.sid);
    if (cart.length === 0) throw empty();
    const [address, positions] = await Promise.all([
      this.shop.address(session.sid),
      Promise.all(cart.map((line) => this.position(line))),
    ]);
    try {
      return await despiteDeadlocks(() =>
        this.database.transaction(async (manager) => {
          const open = await claim(manager, positions);
          const reservations = await this.reserve(manager, open);
          const order = await this.place(manager, customer, address, open, method);
          await this.deliver(manager, order, open, reservations);
          return order.number ?? '';
        }),
      );
    } finally {
      await this.emptyCart(session, cart);
    }
  }

  private async position(line: CartLine): Promise<Position> {
    const product = await this.shop.product(line.product_id);
    const tax = product?.tax_pct ?? null;
    return {
      ...line,
      taxPermille: tax === null ? null : Math.round(tax * 10),
      active: product?.status === 'active',
    };
  }

  private async reserve(manager: EntityManager, positions: readonly Position[]): Promise<number[]> {
    const createdAt = this.clock.now();
    // Always in the order of the key: two carts with the same products would lock each other out otherwise.
    const levels = await manager.find(StockLevel, {
      where: { productId: In(positions.map(({ product_id }) => product_id)) },
      order: { productId: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    const levelOf = new Map(levels.map((level) => [level.productId, level]));
    const ids: number[] = [];
    for (const { product_id: productId, name, qty } of positions) {
      const level = levelOf.get(productId);
      if (!level || available(level) < qty) throw new ConflictException(`Not enough of ${name} in stock`);
      level.reserved = (level.reserved ?? 0) + qty;
      await manager.update(StockLevel, productId, { reserved: level.reserved, modifiedAt: createdAt });
      const reservation = { productId, cartId: null, quantity: qty, createdAt, released: false };
      ids.push((await manager.save(StockReservation, reservation)).id);
    }
    return ids;
  }

  private async place(
    manager: EntityManager,
    customer: Customer,
    address: Address,
    positions: readonly Position[],
    method: PaymentMethod,
  ): Promise<CustomerOrder> {
    const placedAt = this.clock.now();
    const totalMinor = String(positions.reduce((sum, { price, qty }) => sum + toMinor(price) * qty, 0));
    const order: CustomerOrder = await manager.save(CustomerOrder, {
      customerId: customer.id,
      state: 'placed',
      totalMinor,
      currency: 'EUR',
      street: address.street,
      city: address.city,
      zip: address.zip,
      placedAt,
    });
    order.number = `B${String(order.id).padStart(6, '0')}`;
    await manager.update(CustomerOrder, order.id, { number: order.number });
    for (const { product_id, name, qty, price, taxPermille } of positions)
      await manager.insert(OrderItem, {
        orderId: order.id,
        productId: product_id,
        title: name,
        quantity: qty,
        unitPriceMinor: String(toMinor(price)),
        taxPermille,
      });
    await manager.insert(Payment, {
      orderId: order.id,
      method,
      amountMinor: totalMinor,
      state: 'pending',
      createdAt: placedAt,
    });
    return order;
  }

  private async deliver(
    manager: EntityManager,
    order: CustomerOrder,
    positions: readonly Position[],
    reservations: number[],
  ): Promise<void> {
    for (const { product_id, qty } of positions)
      await manager.query(
        'UPDATE stock_level SET on_hand = on_hand - ?, reserved = reserved - ?, modified_at = ? WHERE product_id = ?',
        [qty, qty, this.clock.now(), product_id],
      );
    await manager.update(StockReservation, reservations, { released: true, orderId: order.id });
  }

  /** Takes out of the cart what is in orders. A cart that stays full is emptied with the next order; nothing of it is ordered twice. */
  private async emptyCart(session: Session, cart: readonly CartLine[]): Promise<void> {
    try {
      const claims = await this.database.manager.findBy(CartClaim, {
        cartItemId: In(cart.map(({ id }) => id)),
      });
      const claimed = new Map(claims.map(({ cartItemId, quantity }) => [cartItemId, quantity]));
      for (const { id, qty } of cart)
        if ((claimed.get(id) ?? 0) >= qty) await this.shop.removeFromCart(session, id);
    } catch (error) {
      this.logger.warn(
        `a cart could not be emptied: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

const empty = (): ConflictException => new ConflictException('The cart is empty');

/**
 * What no order has yet of a cart, now taken for this one. Holds the items until the end of the transaction: the same cart cannot be
 * checked out twice at once, and an item the shop has not let go of counts only for what was added to it since.
 */
async function claim(manager: EntityManager, positions: readonly Position[]): Promise<Position[]> {
  const open: Position[] = [];
  for (const position of positions.toSorted((one, other) => one.id - other.id)) {
    await manager.query(
      'INSERT INTO cart_claim (cart_item_id, quantity) VALUES (?, 0) ON DUPLICATE KEY UPDATE quantity = quantity',
      [position.id],
    );
    const held = await manager.findOneOrFail(CartClaim, {
      where: { cartItemId: position.id },
      lock: { mode: 'pessimistic_write' },
    });
    const qty = position.qty - held.quantity;
    if (qty <= 0) continue;
    await manager.update(CartClaim, position.id, { quantity: position.qty });
    open.push({ ...position, qty });
  }
  if (open.length === 0) throw empty();
  for (const { product_id, active } of open)
    if (!active) throw new ConflictException(`Product ${product_id} can no longer be bought`);
  return open;
}
