import { ServiceUnavailableException } from '@nestjs/common';
import type { Address, CartLine, Customer, ProductState, Session, Shop } from './shop.js';

/** Longer than a healthy shop takes, shorter than the proxy waits for this service. */
const DEADLINE_MS = 4_000;

/** The shop by its own API, with the session of the client and nothing else of its request. */
export class HttpShop implements Shop {
  /** `url` has no slash at its end. */
  constructor(private readonly url: string) {}

  customer(sid: string): Promise<Customer | null> {
    return this.ask('/api/me', { sid, absent: 401 });
  }

  async csrf(sid: string): Promise<string> {
    return (await this.sure<{ token: string }>('/api/csrf', sid)).token;
  }

  address(sid: string): Promise<Address> {
    return this.sure('/api/me/address', sid);
  }

  async cart(sid: string): Promise<readonly CartLine[]> {
    return (await this.sure<{ items: CartLine[] }>('/api/cart', sid)).items;
  }

  product(id: number): Promise<ProductState | null> {
    return this.ask(`/api/products/${id}`, { absent: 404 });
  }

  async removeFromCart({ sid, csrf }: Session, itemId: number): Promise<void> {
    await this.ask(`/api/cart/items/${itemId}`, { sid, csrf, absent: 404 });
  }

  private async sure<T>(path: string, sid: string): Promise<T> {
    const answer = await this.ask<T>(path, { sid });
    if (answer === null) throw new ServiceUnavailableException('The shop does not answer');
    return answer;
  }

  /** With a token the item is deleted, else it is a question. `absent` is the status that means there is none. */
  private async ask<T>(
    path: string,
    { sid, csrf, absent }: { sid?: string; csrf?: string; absent?: number },
  ): Promise<T | null> {
    try {
      const response = await fetch(this.url + path, {
        method: csrf === undefined ? 'GET' : 'DELETE',
        redirect: 'error',
        signal: AbortSignal.timeout(DEADLINE_MS),
        headers: {
          ...(sid !== undefined && { cookie: `shop_sid=${sid}` }),
          ...(csrf !== undefined && { 'x-csrf-token': csrf }),
        },
      });
      const body = await response.text();
      if (response.status === absent) return null;
      if (!response.ok) throw new Error(`the shop answered ${response.status}`);
      return JSON.parse(body) as T;
    } catch (cause) {
      throw new ServiceUnavailableException('The shop does not answer', { cause });
    }
  }
}
