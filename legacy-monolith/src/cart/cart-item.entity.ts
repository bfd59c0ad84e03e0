import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class CartItem {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'int', nullable: true }) cart_id: number | null;
  @Column({ type: 'int', nullable: true }) product_id: number | null;
  @Column({ type: 'int', nullable: true }) qty: number | null;
  @Column({ type: 'decimal', precision: 10, scale: 2, nullable: true }) price: string | null;
}
