import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Category } from './category.entity.js';

export const productStatuses = ['draft', 'active', 'sold-out', 'gone'] as const;
export type ProductStatus = (typeof productStatuses)[number];

/** Money is a whole number of minor units (TypeORM reads a BIGINT as text), a time is an instant. */
@Entity('product')
@Index('product_category', ['categoryId'])
@Index('product_sku', ['sku'])
@Index('product_featured', ['featured'])
export class Product {
  @PrimaryColumn({ type: 'int' }) id: number;
  @Column({ name: 'category_id', type: 'int', nullable: true }) categoryId: number | null;
  @ManyToOne(() => Category, { nullable: true, createForeignKeyConstraints: false })
  @JoinColumn({ name: 'category_id' })
  category: Relation<Category> | null;
  @Column({ type: 'varchar', length: 40, nullable: true }) sku: string | null;
  @Column({ type: 'varchar', length: 190, nullable: true }) title: string | null;
  @Column({ type: 'text', nullable: true }) description: string | null;
  @Column({ type: 'varchar', length: 80, nullable: true }) manufacturer: string | null;
  @Column({
    name: 'price_minor',
    type: 'bigint',
    nullable: true,
    comment: 'net, in the smallest unit of the currency',
  })
  priceMinor: string | null;
  @Column({ type: 'char', length: 3 }) currency: string;
  @Column({ name: 'discount_pct', type: 'decimal', precision: 4, scale: 1, nullable: true })
  discountPct: string | null;
  @Column({ name: 'tax_pct', type: 'decimal', precision: 4, scale: 1, nullable: true })
  taxPct: string | null;
  @Column({ type: 'varchar', length: 20, nullable: true }) status: ProductStatus | null;
  @Column({ type: 'boolean' }) visible: boolean;
  @Column({ type: 'boolean' }) featured: boolean;
  @Column({ name: 'image_file', type: 'varchar', length: 190, nullable: true }) imageFile: string | null;
  @Column({ name: 'created_at', type: 'datetime', nullable: true, comment: 'UTC' }) createdAt: Date | null;
  @Column({ name: 'modified_at', type: 'datetime', nullable: true, comment: 'UTC' }) modifiedAt: Date | null;
  @Column({ name: 'deleted_at', type: 'datetime', nullable: true, comment: 'UTC' }) deletedAt: Date | null;
}
