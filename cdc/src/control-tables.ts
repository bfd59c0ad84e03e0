import type { Connection, RowDataPacket } from 'mysql2/promise';
import { quoted } from './sql.js';

const WATERMARK = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  seq BIGINT UNSIGNED NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii NOT NULL,
  token VARCHAR(64) CHARACTER SET ascii NOT NULL,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB`;

const APPLY_OFFSET = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  incarnation BIGINT UNSIGNED NOT NULL,
  tx_seq BIGINT UNSIGNED NOT NULL,
  log_offset VARCHAR(4000) CHARACTER SET ascii NOT NULL,
  transaction_id VARCHAR(255) NOT NULL,
  dropping TINYINT NOT NULL DEFAULT 0,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB`;

const BACKFILL_PROGRESS = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  last_key LONGTEXT NULL,
  copied BIGINT UNSIGNED NOT NULL DEFAULT 0,
  total BIGINT UNSIGNED NOT NULL DEFAULT 0,
  done TINYINT NOT NULL DEFAULT 0,
  PRIMARY KEY (stream, table_name)
) ENGINE=InnoDB`;

const CAPTURED_COLUMNS = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  table_name VARCHAR(130) NOT NULL,
  position_hash BINARY(32) NOT NULL,
  log_offset VARCHAR(4000) CHARACTER SET ascii NOT NULL,
  read_until VARCHAR(4000) CHARACTER SET ascii NOT NULL,
  definition LONGTEXT NOT NULL,
  PRIMARY KEY (stream, table_name, position_hash)
) ENGINE=InnoDB`;

const PARKED = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  key_id CHAR(32) CHARACTER SET ascii NOT NULL,
  ordinal INT UNSIGNED NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  row_key LONGTEXT NOT NULL,
  shown LONGTEXT NOT NULL,
  event LONGTEXT NOT NULL,
  code VARCHAR(64) CHARACTER SET ascii NOT NULL,
  problem TEXT NOT NULL,
  behind CHAR(32) CHARACTER SET ascii NULL,
  events BIGINT UNSIGNED NOT NULL,
  first_seen DATETIME(6) NOT NULL,
  last_seen DATETIME(6) NOT NULL,
  PRIMARY KEY (stream, key_id, ordinal)
) ENGINE=InnoDB`;

const PARKED_DISCARDED = `(
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  shown LONGTEXT NOT NULL,
  events BIGINT UNSIGNED NOT NULL,
  code VARCHAR(64) CHARACTER SET ascii NOT NULL,
  problem TEXT NOT NULL,
  event LONGTEXT NOT NULL,
  discarded_by VARCHAR(200) NOT NULL,
  why TEXT NOT NULL,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB`;

const RECOPY = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  from_key LONGTEXT NULL,
  to_key LONGTEXT NULL,
  pass INT UNSIGNED NOT NULL DEFAULT 0,
  last_key LONGTEXT NULL,
  looked BIGINT UNSIGNED NOT NULL DEFAULT 0,
  removed BIGINT UNSIGNED NOT NULL DEFAULT 0,
  total BIGINT UNSIGNED NOT NULL,
  requested_at DATETIME(6) NOT NULL,
  finished_at DATETIME(6) NULL,
  PRIMARY KEY (stream, table_name)
) ENGINE=InnoDB`;

const STRAY_WRITES = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  log_offset VARCHAR(4000) CHARACTER SET ascii NOT NULL,
  found BIGINT UNSIGNED NOT NULL DEFAULT 0,
  repaired BIGINT UNSIGNED NOT NULL DEFAULT 0
) ENGINE=InnoDB`;

const CONFLICTS = `(
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  shown LONGTEXT NOT NULL,
  policy VARCHAR(16) CHARACTER SET ascii NOT NULL,
  winner VARCHAR(8) CHARACTER SET ascii NOT NULL,
  source_row LONGTEXT NULL,
  target_row LONGTEXT NULL,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB`;

const ANSWERS = `(
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  database_name VARCHAR(64) NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  row_image LONGTEXT NOT NULL
) ENGINE=InnoDB`;

const SEEN = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  log_offset VARCHAR(4000) CHARACTER SET ascii NOT NULL
) ENGINE=InnoDB`;

const CANARY = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  token VARCHAR(64) CHARACTER SET ascii NOT NULL
) ENGINE=InnoDB`;

const HANDOVER = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  epoch BIGINT UNSIGNED NOT NULL,
  log_offset VARCHAR(4000) CHARACTER SET ascii NOT NULL,
  at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB`;

const VERIFICATION = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL PRIMARY KEY,
  plan CHAR(32) CHARACTER SET ascii NOT NULL,
  progress LONGTEXT NOT NULL,
  started_at DATETIME(6) NOT NULL,
  finished_at DATETIME(6) NULL
) ENGINE=InnoDB`;

const DRIFT = `(
  stream VARCHAR(100) CHARACTER SET ascii NOT NULL,
  mapping VARCHAR(130) NOT NULL,
  key_id CHAR(32) CHARACTER SET ascii NOT NULL,
  ordinal INT UNSIGNED NOT NULL,
  row_key LONGTEXT NOT NULL,
  table_name VARCHAR(64) NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii NOT NULL,
  shown LONGTEXT NOT NULL,
  difference TEXT NOT NULL,
  found_at DATETIME(6) NOT NULL,
  PRIMARY KEY (stream, mapping, key_id, ordinal)
) ENGINE=InnoDB`;

export const SOURCE_TABLES: Readonly<Record<string, string>> = { watermark: WATERMARK };
export const TARGET_TABLES: Readonly<Record<string, string>> = {
  apply_offset: APPLY_OFFSET,
  backfill_progress: BACKFILL_PROGRESS,
  captured_columns: CAPTURED_COLUMNS,
  parked: PARKED,
  parked_discarded: PARKED_DISCARDED,
  recopy: RECOPY,
  stray_writes: STRAY_WRITES,
  verification: VERIFICATION,
  drift: DRIFT,
  canary: CANARY,
  conflicts: CONFLICTS,
  answers: ANSWERS,
  seen: SEEN,
  handover: HANDOVER,
};

/** Creates what is missing and asks for no privilege when nothing is. */
export async function ensureTables(
  connection: Connection,
  schema: string,
  tables: Readonly<Record<string, string>>,
): Promise<void> {
  const [found] = await connection.query<RowDataPacket[]>(
    'SELECT TABLE_NAME name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [schema],
  );
  const there = new Set(found.map((row) => String(row['name'])));
  const missing = Object.entries(tables).filter(([name]) => !there.has(name));
  if (missing.length === 0) return;
  if (there.size === 0)
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${quoted(schema)} CHARACTER SET utf8mb4`);
  for (const [name, definition] of missing)
    await connection.query(`CREATE TABLE IF NOT EXISTS ${quoted(schema, name)} ${definition}`);
}
