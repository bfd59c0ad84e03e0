import type { Address, CartLine, Customer, ProductState, Session, Shop } from './shop.js';

/** A shop in memory: logins by session, carts by session, and products that can be bought unless said otherwise. */
export class FakeShop implements Shop {
  readonly customers = new Map<string, Customer>();
  readonly carts = new Map<string, CartLine[]>();
  readonly products = new Map<number, ProductState | null>();
  /** While it says so, carts stay as they are. */
  keepsCarts = false;

  customer(sid: string): Promise<Customer | null> {
    return Promise.resolve(this.customers.get(sid) ?? null);
  }

  csrf(sid: string): Promise<string> {
    return Promise.resolve(`token of ${sid.slice(0, 4)}`);
  }

  address(): Promise<Address> {
    return Promise.resolve({ street: 'Elbchaussee 1', city: 'Hamburg', zip: '22765' });
  }

  cart(sid: string): Promise<readonly CartLine[]> {
    return Promise.resolve([...(this.carts.get(sid) ?? [])]);
  }

  product(id: number): Promise<ProductState | null> {
    const known = this.products.get(id);
    return Promise.resolve(known === undefined ? { id, status: 'active', tax_pct: 19 } : known);
  }

  removeFromCart({ sid }: Session, itemId: number): Promise<void> {
    if (this.keepsCarts) return Promise.reject(new Error('the shop keeps its carts'));
    this.carts.set(
      sid,
      (this.carts.get(sid) ?? []).filter(({ id }) => id !== itemId),
    );
    return Promise.resolve();
  }
}
