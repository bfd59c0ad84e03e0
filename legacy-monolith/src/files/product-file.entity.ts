import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class ProductFile {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) product_id: number | null;
  @Column({ type: 'varchar', nullable: true }) file_name: string | null;
  @Column({ type: 'varchar', nullable: true }) mime: string | null;
  @Column({ type: 'int', nullable: true }) bytes: number | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
}
