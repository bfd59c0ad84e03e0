import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { In, Repository } from 'typeorm';
import type { Visitor } from '../accounts/visitor.js';
import { grossDecimal } from '../catalog/answers.js';
import { CatalogService } from '../catalog/catalog.service.js';
import { toDecimal, toUnits } from '../catalog/price.js';
import { Product } from '../catalog/product.entity.js';
import { LocalClock } from '../local-time.js';
import { CartItem } from './cart-item.entity.js';
import { Cart } from './cart.entity.js';

export class CartItemAnswer {
  @ApiProperty() id: number;
  @ApiProperty() product_id: number;
  @ApiProperty({ type: String, nullable: true }) name: string | null;
  @ApiProperty() qty: number;
  @ApiProperty({ example: '15.35', description: 'gross, as shown when it was added' }) price: string;
  @ApiProperty({ example: '30.70' }) sum: string;
}

export class CartAnswer {
  @ApiProperty({ type: [CartItemAnswer] }) items: CartItemAnswer[];
  @ApiProperty({ example: '30.70' }) total: string;
  @ApiProperty({ enum: ['EUR'] }) currency: 'EUR';
}

export class CartItemBody {
  @ApiProperty({ example: 1 }) @Type(() => Number) @IsInt() @Min(1) product_id: number;

  @ApiProperty({ default: 1, required: false, maximum: 99 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(99)
  qty: number = 1;
}

@Injectable()
export class CartService {
  constructor(
    @InjectRepository(Cart) private readonly carts: Repository<Cart>,
    @InjectRepository(CartItem) private readonly items: Repository<CartItem>,
    @InjectRepository(Product) private readonly products: Repository<Product>,
    private readonly catalog: CatalogService,
    private readonly clock: LocalClock,
  ) {}

  async show(visitor: Visitor): Promise<CartAnswer> {
    const cart = await this.cartOf(visitor);
    const rows = cart ? await this.items.find({ where: { cart_id: cart.id }, order: { id: 'ASC' } }) : [];
    const products = await this.products.findBy({ id: In(rows.map((row) => row.product_id)) });
    const nameOf = new Map(products.map(({ id, name }) => [id, name]));
    const items = rows.map((row) => this.toItem(row, nameOf.get(row.product_id ?? 0) ?? null));
    const total = items.reduce((sum, item) => sum + toUnits(item.sum, 2), 0);
    return { items, total: toDecimal(total), currency: 'EUR' };
  }

  async add(visitor: Visitor, { product_id, qty }: CartItemBody): Promise<CartAnswer> {
    const product = await this.catalog.product(product_id);
    const price = grossDecimal(product);
    if (price === null || product.status !== 'active')
      throw new ConflictException(`Product ${product_id} cannot be bought`);
    const cart = (await this.cartOf(visitor)) ?? (await this.open(visitor));
    const present = await this.items.findOneBy({ cart_id: cart.id, product_id });
    if (present) await this.items.update(present.id, { qty: (present.qty ?? 0) + qty, price });
    else await this.items.insert({ cart_id: cart.id, product_id, qty, price });
    await this.touch(cart);
    return this.show(visitor);
  }

  async remove(visitor: Visitor, itemId: number): Promise<CartAnswer> {
    const cart = await this.cartOf(visitor);
    const item = cart && (await this.items.findOneBy({ id: itemId, cart_id: cart.id }));
    if (!cart || !item) throw new NotFoundException(`Cart item ${itemId} not found`);
    await this.items.delete(item.id);
    await this.touch(cart);
    return this.show(visitor);
  }

  async cartOf({ session }: Visitor): Promise<Cart | null> {
    return session && this.carts.findOne({ where: { sid: session.sid }, order: { id: 'ASC' } });
  }

  private open({ session, customer }: Visitor): Promise<Cart> {
    const now = this.clock.now();
    return this.carts.save({
      sid: session?.sid ?? null,
      customer_id: customer?.id ?? null,
      created: now,
      modified: now,
    });
  }

  private async touch(cart: Cart): Promise<void> {
    await this.carts.update(cart.id, { modified: this.clock.now() });
  }

  private toItem(row: CartItem, name: string | null): CartItemAnswer {
    const price = row.price ?? '0.00';
    const qty = row.qty ?? 0;
    const sum = toDecimal(toUnits(price, 2) * qty);
    return { id: row.id, product_id: row.product_id ?? 0, name, qty, price, sum };
  }
}
