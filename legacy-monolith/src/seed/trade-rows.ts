import { grossCents, toDecimal, toUnits } from '../catalog/price.js';
import type { Random } from './random.js';
import { DAYS, localTime, type Row } from './rows.js';

export interface Trade {
  readonly orders: Row[];
  readonly order_line: Row[];
  readonly payment: Row[];
}

const text = (value: Row[string] | undefined): string | null => (typeof value === 'string' ? value : null);

const grossPrice = (product: Row): string | null => {
  const cents = grossCents({
    price: text(product['price']),
    discount_pct: text(product['discount_pct']),
    tax_pct: text(product['tax_pct']),
  });
  return cents === null ? null : toDecimal(cents);
};

export const orderNo = (id: number): string => `B${String(id).padStart(6, '0')}`;

/** Order 1 is customer 17's. Order numbers follow the ids. */
export function trade(random: Random, count: number, customers: Row[], products: Row[]): Trade {
  const result: Trade = { orders: [], order_line: [], payment: [] };
  const buyable = products.filter((product) => product['price'] !== null);
  for (let id = 1; id <= count; id++) {
    const customer =
      customers[id === 1 ? Math.min(16, customers.length - 1) : random.between(0, customers.length - 2)]!;
    const placed = localTime(random, random.between(0, DAYS - 1));
    let total = 0;
    for (let line = random.between(1, 5); line > 0; line--) {
      const product = random.pick(buyable);
      const price = grossPrice(product)!;
      const qty = random.between(1, 3);
      total += toUnits(price, 2) * qty;
      result.order_line.push({
        id: result.order_line.length + 1,
        order_id: id,
        product_id: product['id'] ?? null,
        name: product['name'] ?? null,
        qty,
        price,
        tax_pct: product['tax_pct'] ?? null,
      });
    }
    const status = random.pick(['done', 'done', 'done', 'shipped', 'paid', 'new', 'cancelled']);
    const { street = null, city = null, zip = null } = customer;
    result.orders.push({
      id,
      order_no: orderNo(id),
      customer_id: customer['id'] ?? null,
      status: id > 1 && random.chance(0.01) ? null : status,
      total: toDecimal(total),
      street,
      city,
      zip,
      placed,
      deleted: id > 1 && random.chance(0.01) ? 1 : null,
    });
    result.payment.push({
      id,
      order_id: id,
      method: random.pick(['invoice', 'card', 'paypal', 'prepaid']),
      amount: toDecimal(total),
      status: status === 'new' ? 'open' : status === 'cancelled' ? 'refunded' : 'paid',
      ref: random.chance(0.9) ? `TX-${random.hex(6)}` : null,
      created: placed,
    });
  }
  return result;
}

export interface Shelf {
  readonly stock: Row[];
  readonly stock_reservation: Row[];
  readonly cart: Row[];
  readonly cart_item: Row[];
}

/** Stock of every product, and carts that were left standing: every third still reserves what is in it. */
export function shelf(random: Random, products: Row[]): Shelf {
  const stock: Row[] = products.map((product) => ({
    product_id: product['id'] ?? null,
    on_hand: product['status'] === 'sold_out' ? 0 : random.between(Number(product['id']) <= 3 ? 500 : 0, 800),
    reserved: random.chance(0.05) ? null : 0,
    modified: random.chance(0.95) ? localTime(random, random.between(0, DAYS - 1)) : null,
  }));
  const result: Shelf = { stock, stock_reservation: [], cart: [], cart_item: [] };
  const carts = Math.min(120, Math.floor(products.length / 4));
  for (let id = 1; id <= carts; id++) {
    const at = random.between(1, products.length - 1);
    const price = grossPrice(products[at]!);
    const day = random.between(0, DAYS - 1);
    const qty = random.between(1, 3);
    const product_id = products[at]!['id'] ?? null;
    const created = localTime(random, day);
    result.cart.push({
      id,
      sid: random.hex(32),
      customer_id: null,
      created,
      modified: random.chance(0.5) ? created : null,
    });
    result.cart_item.push({ id, cart_id: id, product_id, qty, price });
    if (id % 3 !== 0) continue;
    result.stock_reservation.push({
      id: result.stock_reservation.length + 1,
      product_id,
      cart_id: id,
      order_id: null,
      qty,
      created,
      released: random.chance(0.5) ? 0 : null,
    });
    stock[at]!['reserved'] = Number(stock[at]!['reserved'] ?? 0) + qty;
  }
  return result;
}

export function jobRuns(random: Random): Row[] {
  return Array.from({ length: 30 }, (_, at) => {
    const finished = localTime(random, DAYS - 30 + at);
    return {
      id: at + 1,
      name: 'nightly',
      started: finished,
      finished: at === 7 ? null : finished,
      note: at === 7 ? null : 'ok',
    };
  });
}
