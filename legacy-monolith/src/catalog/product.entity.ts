import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

export const productStatuses = ['draft', 'active', 'sold_out', 'gone'] as const;
export type ProductStatus = (typeof productStatuses)[number];

/** DATETIME columns are declared varchar so that TypeORM leaves local times alone (as `datetime` it makes a Date of them). */
@Entity()
export class Product {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) category_id: number | null;
  @Column({ type: 'varchar', nullable: true }) sku: string | null;
  @Column({ type: 'varchar', nullable: true }) name: string | null;
  @Column({ type: 'text', nullable: true }) description: string | null;
  @Column({ type: 'varchar', nullable: true }) manufacturer: string | null;
  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true }) price: string | null;
  @Column({ type: 'decimal', precision: 4, scale: 1, nullable: true }) discount_pct: string | null;
  @Column({ type: 'decimal', precision: 4, scale: 1, nullable: true }) tax_pct: string | null;
  @Column({ type: 'varchar', nullable: true }) tags: string | null;
  @Column({ type: 'enum', enum: productStatuses, nullable: true }) status: ProductStatus | null;
  @Column({ type: 'tinyint', nullable: true }) is_visible: number | null;
  @Column({ type: 'tinyint', nullable: true }) is_featured: number | null;
  @Column({ type: 'varchar', nullable: true }) image_file: string | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
  @Column({ type: 'varchar', nullable: true }) modified: string | null;
  @Column({ type: 'varchar', nullable: true }) deleted_at: string | null;
}
