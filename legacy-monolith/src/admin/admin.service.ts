import { Injectable, NotFoundException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { DataSource, IsNull } from 'typeorm';
import { Product, productStatuses } from '../catalog/product.entity.js';
import { LocalClock } from '../local-time.js';
import { Stock } from '../stock/stock.entity.js';
import { toColumns, type NewProductBody, type ProductChangeBody } from './product-body.js';

const PER_PAGE = 50;

/** The row as it is, whatever customers may see of it. */
export class AdminProductAnswer {
  @ApiProperty() id: number;
  @ApiProperty({ type: Number, nullable: true }) category_id: number | null;
  @ApiProperty({ type: String, nullable: true }) sku: string | null;
  @ApiProperty({ type: String, nullable: true }) name: string | null;
  @ApiProperty({ type: String, nullable: true }) description: string | null;
  @ApiProperty({ type: String, nullable: true }) manufacturer: string | null;
  @ApiProperty({ type: String, nullable: true }) price: string | null;
  @ApiProperty({ type: String, nullable: true }) discount_pct: string | null;
  @ApiProperty({ type: String, nullable: true }) tax_pct: string | null;
  @ApiProperty({ type: String, nullable: true }) tags: string | null;
  @ApiProperty({ enum: productStatuses, nullable: true }) status: string | null;
  @ApiProperty({ type: Number, nullable: true }) is_visible: number | null;
  @ApiProperty({ type: Number, nullable: true }) is_featured: number | null;
  @ApiProperty({ type: String, nullable: true }) image_file: string | null;
  @ApiProperty({ type: String, nullable: true }) created: string | null;
  @ApiProperty({ type: String, nullable: true }) modified: string | null;
}

@Injectable()
export class AdminService {
  constructor(
    private readonly database: DataSource,
    private readonly clock: LocalClock,
  ) {}

  async counts(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const table of ['product', 'review', 'customer', 'orders', 'cart', 'job_run']) {
      const [row] = await this.database.query<{ count: string }[]>(`SELECT COUNT(*) AS count FROM ${table}`);
      counts[table] = Number(row?.count);
    }
    return counts;
  }

  async products(page: number): Promise<Product[]> {
    return this.database.manager.find(Product, {
      where: { deleted_at: IsNull() },
      order: { id: 'ASC' },
      skip: (page - 1) * PER_PAGE,
      take: PER_PAGE,
    });
  }

  async create(body: NewProductBody): Promise<AdminProductAnswer> {
    const now = this.clock.now();
    const id = await this.database.transaction(async (manager) => {
      const draft: Partial<Product> = {
        status: 'draft',
        is_visible: 1,
        is_featured: 0,
        created: now,
        modified: now,
      };
      const row = await manager.save(Product, Object.assign(draft, toColumns(body)));
      await manager.insert(Stock, { product_id: row.id, on_hand: 0, reserved: 0, modified: now });
      return row.id;
    });
    return this.row(id);
  }

  async change(id: number, body: ProductChangeBody): Promise<AdminProductAnswer> {
    await this.row(id);
    await this.database.manager.update(Product, id, { ...toColumns(body), modified: this.clock.now() });
    return this.row(id);
  }

  async remove(id: number): Promise<void> {
    await this.row(id);
    const now = this.clock.now();
    await this.database.manager.update(Product, id, { deleted_at: now, modified: now });
  }

  async row(id: number): Promise<Product> {
    const row = await this.database.manager.findOneBy(Product, { id });
    if (!row || row.deleted_at !== null) throw new NotFoundException(`Product ${id} not found`);
    return row;
  }
}
