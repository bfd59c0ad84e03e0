import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class StockReservation {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) product_id: number | null;
  @Column({ type: 'int', nullable: true }) cart_id: number | null;
  @Column({ type: 'int', nullable: true }) order_id: number | null;
  @Column({ type: 'int', nullable: true }) qty: number | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
  @Column({ type: 'tinyint', nullable: true }) released: number | null;
}
