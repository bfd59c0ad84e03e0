import { Injectable, NotFoundException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { Subject } from 'rxjs';
import { In, Repository } from 'typeorm';
import { LocalClock } from '../local-time.js';
import { Stock } from './stock.entity.js';

export class StockAnswer {
  @ApiProperty() product_id: number;
  @ApiProperty() on_hand: number;
  @ApiProperty() reserved: number;
  @ApiProperty() available: number;
  @ApiProperty({ type: String, nullable: true, description: 'local time' }) modified: string | null;
}

export const available = ({ on_hand, reserved }: Pick<Stock, 'on_hand' | 'reserved'>): number =>
  (on_hand ?? 0) - (reserved ?? 0);

const toStock = (stock: Stock): StockAnswer => ({
  product_id: stock.product_id,
  on_hand: stock.on_hand ?? 0,
  reserved: stock.reserved ?? 0,
  available: available(stock),
  modified: stock.modified,
});

@Injectable()
export class StockService {
  /** What this process changed. The nightly job writes behind its back. */
  readonly changes = new Subject<StockAnswer>();

  constructor(
    @InjectRepository(Stock) private readonly stock: Repository<Stock>,
    private readonly clock: LocalClock,
  ) {}

  async one(productId: number): Promise<StockAnswer> {
    const row = await this.stock.findOneBy({ product_id: productId });
    if (!row) throw new NotFoundException(`Stock of product ${productId} not found`);
    return toStock(row);
  }

  async set(productId: number, onHand: number): Promise<StockAnswer> {
    await this.one(productId);
    await this.stock.update(productId, { on_hand: onHand, modified: this.clock.now() });
    await this.announce([productId]);
    return this.one(productId);
  }

  /** Tells the stream; to be called when the change is committed. */
  async announce(productIds: number[]): Promise<void> {
    const rows = await this.stock.find({
      where: { product_id: In(productIds) },
      order: { product_id: 'ASC' },
    });
    for (const row of rows) this.changes.next(toStock(row));
  }
}
