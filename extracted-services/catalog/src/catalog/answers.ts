import { ApiProperty } from '@nestjs/swagger';

export class CategoryAnswer {
  @ApiProperty() id: number;
  @ApiProperty() name: string;
  @ApiProperty() slug: string;
}

export class CategoryListAnswer extends CategoryAnswer {
  @ApiProperty({ type: Number, nullable: true }) parent_id: number | null;
  @ApiProperty({ type: Number, nullable: true }) sort_order: number | null;
  @ApiProperty({ description: 'visible products directly in it' }) product_count: number;
}

export class CategoryDetailAnswer extends CategoryListAnswer {
  @ApiProperty({ type: CategoryAnswer, nullable: true }) parent: CategoryAnswer | null;
  @ApiProperty({ type: [CategoryAnswer] }) children: CategoryAnswer[];
}

export class ProductAnswer {
  @ApiProperty() id: number;
  @ApiProperty({ type: String, nullable: true }) sku: string | null;
  @ApiProperty({ type: String, nullable: true }) name: string | null;
  @ApiProperty({ type: String, nullable: true }) description: string | null;
  @ApiProperty({ type: String, nullable: true }) manufacturer: string | null;
  @ApiProperty({ type: CategoryAnswer, nullable: true }) category: CategoryAnswer | null;
  @ApiProperty({ type: [String] }) tags: string[];
  @ApiProperty({ enum: ['active', 'sold_out'] }) status: string | null;
  @ApiProperty() featured: boolean;
  @ApiProperty({ type: String, nullable: true, example: '12.90', description: 'net' }) price: string | null;
  @ApiProperty({ type: Number, nullable: true }) discount_pct: number | null;
  @ApiProperty({ type: Number, nullable: true }) tax_pct: number | null;
  @ApiProperty({ type: Number, nullable: true, example: 15.35 }) gross_price: number | null;
  @ApiProperty({ enum: ['EUR'] }) currency: string;
  @ApiProperty({ type: String, nullable: true }) image: string | null;
  @ApiProperty({ type: String, nullable: true, example: '2026-03-01 14:05:09', description: 'local time' })
  created: string | null;
  @ApiProperty({ type: String, nullable: true, example: '2026-03-01 14:05:09', description: 'local time' })
  modified: string | null;
}

export class ProductPageAnswer {
  @ApiProperty({ type: [ProductAnswer] }) items: ProductAnswer[];
  @ApiProperty() total: number;
  @ApiProperty() page: number;
  @ApiProperty() per_page: number;
}

export class PriceAnswer {
  @ApiProperty() product_id: number;
  @ApiProperty({ type: String, nullable: true, example: '12.90' }) net: string | null;
  @ApiProperty({ type: Number, nullable: true }) discount_pct: number | null;
  @ApiProperty({ type: Number, nullable: true }) tax_pct: number | null;
  @ApiProperty({ type: Number, nullable: true, example: 15.35 }) gross: number | null;
  @ApiProperty({ enum: ['EUR'] }) currency: string;
}

export class TagAnswer {
  @ApiProperty() tag: string;
  @ApiProperty() count: number;
}
