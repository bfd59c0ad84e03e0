import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Category {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) parent_id: number | null;
  @Column({ type: 'varchar', nullable: true }) name: string | null;
  @Column({ type: 'varchar', nullable: true }) slug: string | null;
  @Column({ type: 'int', nullable: true }) sort_order: number | null;
  @Column({ type: 'tinyint', nullable: true }) deleted: number | null;
}
