import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

export const orderStates = ['placed', 'paid', 'shipped', 'completed', 'cancelled'] as const;
export type OrderState = (typeof orderStates)[number];

/** Money is a whole number of minor units (TypeORM reads a BIGINT as text), a time is an instant. */
@Entity('customer_order')
@Index('customer_order_number', ['number'])
@Index('customer_order_customer', ['customerId', 'placedAt'])
export class CustomerOrder {
  @PrimaryGeneratedColumn({ type: 'int' }) id: number;
  @Column({ type: 'varchar', length: 20, nullable: true }) number: string | null;
  @Column({ name: 'customer_id', type: 'int', nullable: true }) customerId: number | null;
  @Column({ type: 'varchar', length: 20, nullable: true }) state: OrderState | null;
  @Column({
    name: 'total_minor',
    type: 'bigint',
    nullable: true,
    comment: 'gross, in the smallest unit of the currency',
  })
  totalMinor: string | null;
  @Column({ type: 'char', length: 3 }) currency: string;
  @Column({ name: 'ship_to_street', type: 'varchar', length: 120, nullable: true }) street: string | null;
  @Column({ name: 'ship_to_city', type: 'varchar', length: 80, nullable: true }) city: string | null;
  @Column({ name: 'ship_to_zip', type: 'varchar', length: 12, nullable: true }) zip: string | null;
  @Column({ name: 'placed_at', type: 'datetime', nullable: true, comment: 'UTC' }) placedAt: Date | null;
  @Column({ type: 'tinyint', nullable: true, comment: 'anything but NULL: nobody sees it any more' })
  withdrawn: number | null;
}
