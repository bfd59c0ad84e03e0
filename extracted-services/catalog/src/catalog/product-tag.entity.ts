import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('product_tag')
@Index('product_tag_tag', ['tag'])
export class ProductTag {
  @PrimaryColumn({ name: 'product_id', type: 'int' }) productId: number;
  @PrimaryColumn({ type: 'int' }) position: number;
  @Column({ type: 'varchar', length: 255 }) tag: string;
}
