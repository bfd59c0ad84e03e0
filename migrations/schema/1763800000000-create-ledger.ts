import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ledger, and the triggers that keep it append-only for everyone who cannot drop them. The server commits each
 * statement by itself, so each can be repeated: one that lacked a privilege is finished when the privilege is there.
 */
export class CreateLedger1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE IF NOT EXISTS strangler_ledger (
      id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
      migration VARCHAR(63) NOT NULL,
      sequence INT UNSIGNED NOT NULL,
      at DATETIME(3) NOT NULL COMMENT 'UTC',
      kind VARCHAR(20) NOT NULL,
      from_phase VARCHAR(16) NOT NULL,
      to_phase VARCHAR(16) NOT NULL,
      share_from TINYINT UNSIGNED NULL COMMENT 'percent of clients',
      share_to TINYINT UNSIGNED NULL COMMENT 'percent of clients',
      \`by\` VARCHAR(190) NOT NULL,
      why VARCHAR(1000) NULL,
      gates LONGTEXT NOT NULL COMMENT 'JSON: [{gate, met, detail}]',
      verification LONGTEXT NULL COMMENT 'JSON',
      counters LONGTEXT NULL COMMENT 'JSON: what the service had answered at that moment',
      plan_revision VARCHAR(12) NOT NULL,
      PRIMARY KEY (id),
      UNIQUE KEY one_event_per_sequence (migration, sequence)
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
    for (const verb of ['UPDATE', 'DELETE']) {
      const trigger = `strangler_ledger_no_${verb.toLowerCase()}`;
      await runner.query(`DROP TRIGGER IF EXISTS ${trigger}`);
      await runner.query(`CREATE TRIGGER ${trigger}
        BEFORE ${verb} ON strangler_ledger FOR EACH ROW
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger is append-only: no row is ever changed or deleted'`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE strangler_ledger');
  }
}
