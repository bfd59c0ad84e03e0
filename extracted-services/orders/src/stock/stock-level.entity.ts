import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('stock_level')
export class StockLevel {
  @PrimaryColumn({ name: 'product_id', type: 'int' }) productId: number;
  @Column({ name: 'on_hand', type: 'int', nullable: true }) onHand: number | null;
  @Column({ type: 'int', nullable: true }) reserved: number | null;
  @Column({ name: 'modified_at', type: 'datetime', nullable: true, comment: 'UTC' }) modifiedAt: Date | null;
}
