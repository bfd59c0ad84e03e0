import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { OrderLine } from './order-line.entity.js';
import { orderStatuses, type Order } from './order.entity.js';
import { paymentMethods, paymentStatuses, type Payment, type PaymentMethod } from './payment.entity.js';

export class OrderSummaryAnswer {
  @ApiProperty({ example: 'B000001' }) order_no: string;
  @ApiProperty({ enum: orderStatuses, nullable: true }) status: string | null;
  @ApiProperty({ example: '30.70' }) total: string;
  @ApiProperty({ enum: ['EUR'] }) currency: 'EUR';
  @ApiProperty({ type: String, nullable: true, description: 'local time' }) placed: string | null;
}

export class OrderLineAnswer {
  @ApiProperty({ type: Number, nullable: true }) product_id: number | null;
  @ApiProperty({ type: String, nullable: true }) name: string | null;
  @ApiProperty() qty: number;
  @ApiProperty({ example: '15.35', description: 'gross' }) price: string;
  @ApiProperty({ type: Number, nullable: true }) tax_pct: number | null;
}

export class PaymentAnswer {
  @ApiProperty({ enum: paymentMethods, nullable: true }) method: string | null;
  @ApiProperty({ example: '30.70' }) amount: string;
  @ApiProperty({ enum: paymentStatuses, nullable: true }) status: string | null;
  @ApiProperty({ type: String, nullable: true }) ref: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'local time' }) created: string | null;
}

export class OrderAnswer extends OrderSummaryAnswer {
  @ApiProperty({ type: String, nullable: true }) street: string | null;
  @ApiProperty({ type: String, nullable: true }) city: string | null;
  @ApiProperty({ type: String, nullable: true }) zip: string | null;
  @ApiProperty({ type: [OrderLineAnswer] }) lines: OrderLineAnswer[];
  @ApiProperty({ type: [PaymentAnswer] }) payments: PaymentAnswer[];
}

export class CheckoutBody {
  @ApiProperty({ enum: paymentMethods, default: 'invoice', required: false })
  @IsOptional()
  @IsIn(paymentMethods)
  method: PaymentMethod = 'invoice';
}

export class PaymentBody {
  @ApiProperty({ enum: paymentMethods }) @IsIn(paymentMethods) method: PaymentMethod;
}

export const toSummary = (order: Order): OrderSummaryAnswer => ({
  order_no: order.order_no ?? '',
  status: order.status,
  total: order.total ?? '0.00',
  currency: 'EUR',
  placed: order.placed,
});

export const toOrder = (order: Order, lines: OrderLine[], payments: Payment[]): OrderAnswer =>
  Object.assign(toSummary(order), {
    street: order.street,
    city: order.city,
    zip: order.zip,
    lines: lines.map((line) => ({
      product_id: line.product_id,
      name: line.name,
      qty: line.qty ?? 0,
      price: line.price ?? '0.00',
      tax_pct: line.tax_pct === null ? null : Number(line.tax_pct),
    })),
    payments: payments.map(({ method, amount, status, ref, created }) => ({
      method,
      amount: amount ?? '0.00',
      status,
      ref,
      created,
    })),
  });
