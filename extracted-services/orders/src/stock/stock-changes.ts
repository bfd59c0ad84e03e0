import { Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { StockAnswer } from './answers.js';
import { StockService } from './stock.service.js';

const LOOK_EVERY_MS = 500;

type Listener = (change: StockAnswer) => void;

/**
 * Tells what has changed since the last look, whoever wrote it: this process, another one, or the stream of rows from the shop.
 * Looks only while somebody listens.
 */
@Injectable()
export class StockChanges implements BeforeApplicationShutdown {
  private readonly logger = new Logger('stock');
  private readonly listeners = new Set<Listener>();
  private seen = new Map<number, string>();
  private next: NodeJS.Timeout | undefined;

  constructor(private readonly stock: StockService) {}

  /** What changes from now on is told. The answer ends it. */
  async listen(listener: Listener): Promise<() => void> {
    if (this.listeners.size === 0) await this.look();
    this.listeners.add(listener);
    this.schedule();
    return () => {
      this.listeners.delete(listener);
    };
  }

  beforeApplicationShutdown(): void {
    this.listeners.clear();
    clearTimeout(this.next);
  }

  private schedule(): void {
    clearTimeout(this.next);
    if (this.listeners.size === 0) return;
    this.next = setTimeout(() => {
      this.look()
        .catch((error: unknown) => this.logger.error(error))
        .finally(() => this.schedule());
    }, LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    const before = this.seen;
    const levels = (await this.stock.all()).map((level) => ({ level, text: JSON.stringify(level) }));
    this.seen = new Map(levels.map(({ level, text }) => [level.product_id, text]));
    const changed = levels.filter(({ level, text }) => before.get(level.product_id) !== text);
    for (const listener of this.listeners) for (const { level } of changed) listener(level);
  }
}
