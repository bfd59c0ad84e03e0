import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../environment.js';
import { toLocalTime } from '../local-time.js';
import type { CategoryAnswer, PriceAnswer, ProductAnswer } from './answers.js';
import type { Category } from './category.entity.js';
import { grossPrice } from './gross-price.js';
import type { Product, ProductStatus } from './product.entity.js';

/** Clients know the statuses by their old names. */
const STATUS_NAMES: Record<ProductStatus, string> = {
  draft: 'draft',
  active: 'active',
  'sold-out': 'sold_out',
  gone: 'gone',
};

export const toCategory = (category: Pick<Category, 'id' | 'name' | 'slug'>): CategoryAnswer => ({
  id: category.id,
  name: category.name ?? '',
  slug: category.slug ?? '',
});

/** The model of this service, said in the words the shop's clients know. The order of the keys is part of it. */
@Injectable()
export class ProductAnswers {
  constructor(@Inject(ENVIRONMENT) private readonly environment: Environment) {}

  /** `product` comes with its category, when it has one that is not deleted. */
  product(product: Product, tags: readonly string[]): ProductAnswer {
    return {
      id: product.id,
      sku: product.sku,
      name: product.title,
      description: product.description,
      manufacturer: product.manufacturer,
      category: product.category && toCategory(product.category),
      tags: [...tags],
      status: product.status && STATUS_NAMES[product.status],
      featured: product.featured,
      price: netDecimal(product),
      discount_pct: percent(product.discountPct),
      tax_pct: percent(product.taxPct),
      gross_price: this.gross(product),
      currency: product.currency,
      image: product.imageFile,
      created: toLocalTime(product.createdAt, this.environment.timezone),
      modified: toLocalTime(product.modifiedAt, this.environment.timezone),
    };
  }

  price(product: Product): PriceAnswer {
    return {
      product_id: product.id,
      net: netDecimal(product),
      discount_pct: percent(product.discountPct),
      tax_pct: percent(product.taxPct),
      gross: this.gross(product),
      currency: product.currency,
    };
  }

  private gross({ priceMinor, discountPct, taxPct }: Product): number | null {
    if (priceMinor === null) return null;
    const parts = { net: BigInt(priceMinor), discount: tenths(discountPct), tax: tenths(taxPct) };
    return Number(grossPrice(parts, this.environment.rounding)) / 100;
  }
}

const percent = (column: string | null): number | null => (column === null ? null : Number(column));

/** The column is a DECIMAL(4,1), so leaving out the point leaves tenths. */
const tenths = (column: string | null): bigint => BigInt((column ?? '0.0').replace('.', ''));

const netDecimal = ({ priceMinor }: Product): string | null =>
  priceMinor === null ? null : (Number(priceMinor) / 100).toFixed(2);
