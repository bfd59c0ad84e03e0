import { binlogSource } from '@strangler/cdc';
import type { Connection } from 'mysql2/promise';
import { type Servers, createDatabases, fillProduct } from './bench-databases.js';

const ROWS_A_TRANSACTION = 10;
const TRANSACTIONS_A_PACKET = 100;

export type CaptureBench = { readonly rowsPerSec: number; readonly cpuMicrosecondsARow: number };

/** Updates of both images, in transactions of ten rows. */
async function writeLog(connection: Connection, rows: number, filled: number): Promise<void> {
  for (let written = 0; written < rows;) {
    let packet = '';
    for (let count = 0; count < TRANSACTIONS_A_PACKET && written < rows; count++) {
      const first = (written % filled) + 1;
      packet += `UPDATE product SET quantity = quantity + 1, note = CONCAT(note, '.') WHERE id BETWEEN ${first} AND ${first + ROWS_A_TRANSACTION - 1};`;
      written += ROWS_A_TRANSACTION;
    }
    await connection.query(packet);
  }
}

/** Reads a prepared log: rows from the server's bytes to canonical changes, which nobody applies. */
export async function benchCapture(servers: Servers, rows: number): Promise<CaptureBench> {
  const databases = await createDatabases(servers);
  const { from, source } = databases;
  try {
    const columns = [
      'id',
      'sku',
      'name',
      'price',
      'quantity',
      'state',
      'added',
      'note',
      'owner_id',
      'active',
    ];
    const reader = binlogSource({
      database: from,
      tables: [{ database: from.schema, table: 'product', columns }],
    });
    const filled = Math.max(ROWS_A_TRANSACTION, rows / 10);
    await fillProduct(source, filled);
    const start = await reader.now();
    await writeLog(source, rows, filled);
    const end = new AbortController();
    let read = 0;
    let startedAt = 0;
    let countedFrom = 0;
    let cpu = process.cpuUsage();
    for await (const { changes } of reader.stream(start, end.signal)) {
      read += changes.length;
      // What is read first warms up.
      if (startedAt === 0 && read >= rows / 5)
        [startedAt, countedFrom, cpu] = [performance.now(), read, process.cpuUsage()];
      if (read >= rows) break;
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const used = process.cpuUsage(cpu);
    end.abort();
    return {
      rowsPerSec: Math.round((read - countedFrom) / seconds),
      cpuMicrosecondsARow: Number(((used.user + used.system) / (read - countedFrom)).toFixed(2)),
    };
  } finally {
    await databases.drop();
  }
}
