import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

export const paymentMethods = ['invoice', 'card', 'paypal', 'prepaid'] as const;
export type PaymentMethod = (typeof paymentMethods)[number];

export const paymentStatuses = ['open', 'paid', 'failed', 'refunded'] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

@Entity()
export class Payment {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) order_id: number | null;
  @Column({ type: 'enum', enum: paymentMethods, nullable: true }) method: PaymentMethod | null;
  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true }) amount: string | null;
  @Column({ type: 'enum', enum: paymentStatuses, nullable: true }) status: PaymentStatus | null;
  @Column({ type: 'varchar', nullable: true }) ref: string | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
}
