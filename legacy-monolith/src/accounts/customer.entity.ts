import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity()
export class Customer {
  @PrimaryGeneratedColumn() id: number;
  @Column({ type: 'varchar', nullable: true }) email: string | null;
  @Column({ type: 'varchar', nullable: true }) password_hash: string | null;
  @Column({ type: 'varchar', nullable: true }) first_name: string | null;
  @Column({ type: 'varchar', nullable: true }) last_name: string | null;
  @Column({ type: 'varchar', nullable: true }) street: string | null;
  @Column({ type: 'varchar', nullable: true }) city: string | null;
  @Column({ type: 'varchar', nullable: true }) zip: string | null;
  @Column({ type: 'tinyint', nullable: true }) newsletter: number | null;
  @Column({ type: 'tinyint', nullable: true }) is_admin: number | null;
  @Column({ type: 'varchar', nullable: true }) created: string | null;
  @Column({ type: 'tinyint', nullable: true }) deleted: number | null;
}
