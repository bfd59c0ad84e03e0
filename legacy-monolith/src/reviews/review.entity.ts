import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Review {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) product_id: number | null;
  @Column({ type: 'int', nullable: true }) customer_id: number | null;
  @Column({ type: 'varchar', nullable: true }) author_name: string | null;
  @Column({ type: 'tinyint', nullable: true }) rating: number | null;
  @Column({ type: 'varchar', nullable: true }) title: string | null;
  @Column({ type: 'text', nullable: true }) body: string | null;
  @Column({ type: 'tinyint', nullable: true }) is_approved: number | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
  @Column({ type: 'tinyint', nullable: true }) deleted: number | null;
}
