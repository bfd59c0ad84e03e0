import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ENVIRONMENT, type Environment } from '../environment.js';
import { Clock } from '../local-time.js';
import { toStock, type StockAnswer } from './answers.js';
import { StockLevel } from './stock-level.entity.js';

@Injectable()
export class StockService {
  constructor(
    @InjectRepository(StockLevel) private readonly levels: Repository<StockLevel>,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  async one(productId: number): Promise<StockAnswer> {
    const level = await this.levels.findOneBy({ productId });
    if (!level) throw new NotFoundException(`Stock of product ${productId} not found`);
    return toStock(level, this.environment.timezone);
  }

  async all(): Promise<StockAnswer[]> {
    const levels = await this.levels.find({ order: { productId: 'ASC' } });
    return levels.map((level) => toStock(level, this.environment.timezone));
  }

  async set(productId: number, onHand: number): Promise<StockAnswer> {
    await this.one(productId);
    await this.levels.update(productId, { onHand, modifiedAt: this.clock.now() });
    return this.one(productId);
  }
}
