import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class OrderLine {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) order_id: number | null;
  @Column({ type: 'int', nullable: true }) product_id: number | null;
  @Column({ type: 'varchar', nullable: true }) name: string | null;
  @Column({ type: 'int', nullable: true }) qty: number | null;
  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true }) price: string | null;
  @Column({ type: 'decimal', precision: 4, scale: 1, nullable: true }) tax_pct: string | null;
}
