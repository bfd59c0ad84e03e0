import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { toLocalTime } from '../local-time.js';
import { toDecimal } from '../money.js';
import type { CustomerOrder, OrderState } from './customer-order.entity.js';
import type { OrderItem } from './order-item.entity.js';
import { paymentMethods, type Payment, type PaymentMethod, type PaymentState } from './payment.entity.js';

/** The words of the shop for what has other names here. */
export const SHOP_STATUS: Readonly<Record<OrderState, string>> = {
  placed: 'new',
  paid: 'paid',
  shipped: 'shipped',
  completed: 'done',
  cancelled: 'cancelled',
};
const SHOP_PAYMENT: Readonly<Record<PaymentState, string>> = {
  pending: 'open',
  captured: 'paid',
  failed: 'failed',
  refunded: 'refunded',
};

export class OrderSummaryAnswer {
  @ApiProperty({ example: 'B000001' }) order_no: string;
  @ApiProperty({ enum: Object.values(SHOP_STATUS), nullable: true }) status: string | null;
  @ApiProperty({ example: '30.70' }) total: string;
  @ApiProperty({ enum: ['EUR'] }) currency: string;
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
  @ApiProperty({ enum: Object.values(SHOP_PAYMENT), nullable: true }) status: string | null;
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

export const toSummary = (order: CustomerOrder, timezone: string): OrderSummaryAnswer => ({
  order_no: order.number ?? '',
  status: order.state && SHOP_STATUS[order.state],
  total: toDecimal(order.totalMinor),
  currency: order.currency,
  placed: toLocalTime(order.placedAt, timezone),
});

export const toOrder = (
  order: CustomerOrder,
  items: readonly OrderItem[],
  payments: readonly Payment[],
  timezone: string,
): OrderAnswer =>
  Object.assign(toSummary(order, timezone), {
    street: order.street,
    city: order.city,
    zip: order.zip,
    lines: items.map((item) => ({
      product_id: item.productId,
      name: item.title,
      qty: item.quantity ?? 0,
      price: toDecimal(item.unitPriceMinor),
      tax_pct: item.taxPermille === null ? null : item.taxPermille / 10,
    })),
    payments: payments.map(({ method, amountMinor, state, reference, createdAt }) => ({
      method,
      amount: toDecimal(amountMinor),
      status: state && SHOP_PAYMENT[state],
      ref: reference,
      created: toLocalTime(createdAt, timezone),
    })),
  });
