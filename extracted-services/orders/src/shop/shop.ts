/** Who a session of the shop belongs to. */
export interface Customer {
  readonly id: number;
  readonly name: string;
  readonly admin: boolean;
}

export interface Address {
  readonly street: string | null;
  readonly city: string | null;
  readonly zip: string | null;
}

/** `price` is gross, as shown when it was added: a decimal. */
export interface CartLine {
  readonly id: number;
  readonly product_id: number;
  readonly name: string | null;
  readonly qty: number;
  readonly price: string;
}

export interface ProductState {
  readonly id: number;
  readonly status: string | null;
  readonly tax_pct: number | null;
}

/** A session's id and its token against forged requests. */
export interface Session {
  readonly sid: string;
  readonly csrf: string;
}

/** What the shop keeps and this service asks it for: logins, carts and products. Every question may fail with 503. */
export interface Shop {
  /** Nobody, when nobody is logged in. */
  customer(sid: string): Promise<Customer | null>;
  csrf(sid: string): Promise<string>;
  address(sid: string): Promise<Address>;
  cart(sid: string): Promise<readonly CartLine[]>;
  /** Nothing, when there is none that customers may see. */
  product(id: number): Promise<ProductState | null>;
  /** An item that is gone already is no error. */
  removeFromCart(session: Session, itemId: number): Promise<void>;
}

export const SHOP = Symbol('shop');
