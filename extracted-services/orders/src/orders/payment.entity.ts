import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

export const paymentMethods = ['invoice', 'card', 'paypal', 'prepaid'] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

export const paymentStates = ['pending', 'captured', 'failed', 'refunded'] as const;
export type PaymentState = (typeof paymentStates)[number];

@Entity('payment')
@Index('payment_order', ['orderId'])
export class Payment {
  @PrimaryGeneratedColumn({ type: 'int' }) id: number;
  @Column({ name: 'order_id', type: 'int', nullable: true }) orderId: number | null;
  @Column({ type: 'varchar', length: 20, nullable: true }) method: PaymentMethod | null;
  @Column({ name: 'amount_minor', type: 'bigint', nullable: true }) amountMinor: string | null;
  @Column({ type: 'varchar', length: 20, nullable: true }) state: PaymentState | null;
  @Column({ type: 'varchar', length: 60, nullable: true }) reference: string | null;
  @Column({ name: 'created_at', type: 'datetime', nullable: true, comment: 'UTC' }) createdAt: Date | null;
}
