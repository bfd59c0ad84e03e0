import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

@Entity('category')
@Index('category_slug', ['slug'])
export class Category {
  @PrimaryColumn({ type: 'int' }) id: number;
  @Column({ name: 'parent_id', type: 'int', nullable: true }) parentId: number | null;
  @Column({ type: 'varchar', length: 120, nullable: true }) name: string | null;
  @Column({ type: 'varchar', length: 120, nullable: true }) slug: string | null;
  @Column({ type: 'int', nullable: true }) position: number | null;
  @Column({ type: 'boolean' }) deleted: boolean;
}
