import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('order_item')
@Index('order_item_order', ['orderId'])
export class OrderItem {
  @PrimaryGeneratedColumn({ type: 'int' }) id: number;
  @Column({ name: 'order_id', type: 'int', nullable: true }) orderId: number | null;
  @Column({ name: 'product_id', type: 'int', nullable: true }) productId: number | null;
  @Column({ type: 'varchar', length: 190, nullable: true }) title: string | null;
  @Column({ type: 'int', nullable: true }) quantity: number | null;
  @Column({ name: 'unit_price_minor', type: 'bigint', nullable: true, comment: 'gross' })
  unitPriceMinor: string | null;
  @Column({ name: 'tax_permille', type: 'int', nullable: true }) taxPermille: number | null;
}
