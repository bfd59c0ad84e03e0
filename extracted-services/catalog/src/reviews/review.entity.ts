import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('review')
@Index('review_product', ['productId', 'createdAt'])
export class Review {
  @PrimaryColumn({ type: 'int' }) id: number;
  @Column({ name: 'product_id', type: 'int', nullable: true }) productId: number | null;
  @Column({ name: 'customer_id', type: 'int', nullable: true }) customerId: number | null;
  @Column({ name: 'author_name', type: 'varchar', length: 120, nullable: true }) authorName: string | null;
  @Column({ type: 'tinyint', nullable: true }) rating: number | null;
  @Column({ type: 'varchar', length: 190, nullable: true }) title: string | null;
  @Column({ type: 'text', nullable: true }) body: string | null;
  @Column({ type: 'boolean' }) approved: boolean;
  @Column({ name: 'created_at', type: 'datetime', nullable: true, comment: 'UTC' }) createdAt: Date | null;
  @Column({ type: 'boolean' }) deleted: boolean;
}
