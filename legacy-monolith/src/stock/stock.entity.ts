import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity()
export class Stock {
  @PrimaryColumn({ type: 'int' }) product_id: number;
  @Column({ type: 'int', nullable: true }) on_hand: number | null;
  @Column({ type: 'int', nullable: true }) reserved: number | null;
  @Column({ type: 'varchar', nullable: true }) modified: string | null;
}
