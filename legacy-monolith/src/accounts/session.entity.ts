import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity()
export class Session {
  @PrimaryColumn({ type: 'char', length: 64 }) sid: string;
  @Column({ type: 'int', nullable: true }) customer_id: number | null;
  @Column({ type: 'char', length: 32, nullable: true }) csrf: string | null;
  @Column({ type: 'text', nullable: true }) data: string | null;
  @Column({ type: 'varchar', nullable: true }) expires: string | null;
}
