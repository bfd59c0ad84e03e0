import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

export const orderStatuses = ['new', 'paid', 'shipped', 'done', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** The one table with a plural: `order` is a word of SQL. */
@Entity('orders')
export class Order {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'varchar', nullable: true }) order_no: string | null;
  @Column({ type: 'int', nullable: true }) customer_id: number | null;
  @Column({ type: 'enum', enum: orderStatuses, nullable: true }) status: OrderStatus | null;
  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true }) total: string | null;
  @Column({ type: 'varchar', nullable: true }) street: string | null;
  @Column({ type: 'varchar', nullable: true }) city: string | null;
  @Column({ type: 'varchar', nullable: true }) zip: string | null;
  @Column({ type: 'varchar', nullable: true }) placed: string | null;
  @Column({ type: 'tinyint', nullable: true }) deleted: number | null;
}
