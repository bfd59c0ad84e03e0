import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

@Entity('stock_reservation')
@Index('stock_reservation_product', ['productId'])
export class StockReservation {
  @PrimaryGeneratedColumn({ type: 'int' }) id: number;
  @Column({ name: 'product_id', type: 'int', nullable: true }) productId: number | null;
  @Column({ name: 'cart_id', type: 'int', nullable: true }) cartId: number | null;
  @Column({ name: 'order_id', type: 'int', nullable: true }) orderId: number | null;
  @Column({ type: 'int', nullable: true }) quantity: number | null;
  @Column({ name: 'created_at', type: 'datetime', nullable: true, comment: 'UTC' }) createdAt: Date | null;
  @Column({ type: 'boolean', nullable: true, comment: 'NULL: no, as in the shop' })
  released: boolean | null;
}
