import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Cart {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'char', length: 64, nullable: true }) sid: string | null;
  @Column({ type: 'int', nullable: true }) customer_id: number | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
  @Column({ type: 'varchar', nullable: true }) modified: string | null;
}
