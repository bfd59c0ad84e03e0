import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The states of cutovers in the ledger, and who may carry one on. Each statement can be repeated. */
export class CreateLease1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const columns = (await runner.query("SHOW COLUMNS FROM strangler_ledger LIKE 'cutover'")) as unknown[];
    if (columns.length === 0)
      await runner.query(
        "ALTER TABLE strangler_ledger ADD COLUMN cutover LONGTEXT NULL COMMENT 'JSON: {unit, epoch, state, from, to, note}'",
      );
    await runner.query(`CREATE TABLE IF NOT EXISTS strangler_lease (
      unit VARCHAR(63) NOT NULL,
      token BIGINT UNSIGNED NOT NULL,
      owner VARCHAR(190) NOT NULL,
      until DATETIME(3) NOT NULL COMMENT 'UTC, by the clock of this server',
      PRIMARY KEY (unit)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE strangler_lease');
    await runner.query('ALTER TABLE strangler_ledger DROP COLUMN cutover');
  }
}
