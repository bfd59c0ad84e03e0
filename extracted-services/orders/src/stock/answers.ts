import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { toLocalTime } from '../local-time.js';
import type { StockLevel } from './stock-level.entity.js';

export class StockAnswer {
  @ApiProperty() product_id: number;
  @ApiProperty() on_hand: number;
  @ApiProperty() reserved: number;
  @ApiProperty() available: number;
  @ApiProperty({ type: String, nullable: true, description: 'local time' }) modified: string | null;
}

export class StockBody {
  @ApiProperty() @IsInt() @Min(0) @Max(1_000_000) on_hand: number;
}

export const available = ({ onHand, reserved }: StockLevel): number => (onHand ?? 0) - (reserved ?? 0);

export const toStock = (level: StockLevel, timezone: string): StockAnswer => ({
  product_id: level.productId,
  on_hand: level.onHand ?? 0,
  reserved: level.reserved ?? 0,
  available: available(level),
  modified: toLocalTime(level.modifiedAt, timezone),
});
