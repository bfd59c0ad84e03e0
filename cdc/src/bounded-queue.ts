/**
 * Hands items from a producer that cannot wait to one consumer. `onFull` and `onRoom` tell the producer to hold and to go on, so that what lies
 * here stays near `limit` by weight.
 */
export class BoundedQueue<Item> implements AsyncIterable<Item> {
  readonly #items: { readonly item: Item; readonly weight: number }[] = [];
  readonly #limit: number;
  readonly #onFull: () => void;
  readonly #onRoom: () => void;
  #weight = 0;
  #isFull = false;
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(options: { readonly limit: number; readonly onFull: () => void; readonly onRoom: () => void }) {
    this.#limit = options.limit;
    this.#onFull = options.onFull;
    this.#onRoom = options.onRoom;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  push(item: Item, weight: number): void {
    if (this.#end) return;
    this.#items.push({ item, weight });
    this.#weight += weight;
    if (this.#weight >= this.#limit && !this.#isFull) {
      this.#isFull = true;
      this.#onFull();
    }
    this.#wake();
  }

  /** What was pushed before is still handed out; then the consumer ends, or fails with `error`. The first end counts. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      const next = this.#items.shift();
      if (next) {
        this.#weight -= next.weight;
        if (this.#isFull && this.#weight < this.#limit / 2) {
          this.#isFull = false;
          this.#onRoom();
        }
        yield next.item;
      } else if (this.#end) {
        if ('error' in this.#end) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((done) => (this.#wake = done));
      }
    }
  }
}
