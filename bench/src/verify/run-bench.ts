import { controlSchemaOf } from '@strangler/cdc';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { type BenchDatabases, createDatabases, fillProduct, type Servers } from '../cdc/bench-databases.js';
import { startChanges } from './change-load.js';
import { checksum } from './checksum-peer.js';
import { mapMicroseconds } from './map-time.js';
import { makeRoom, plant, plantingIn } from './planted.js';
import { startVerifying } from './start-verifying.js';

export type BenchOptions = {
  readonly servers: Servers;
  readonly rows: number;
  /** Differences that are planted. */
  readonly planted: number;
  readonly rounds: number;
  readonly say: (sentence: string) => void;
};

/** Null is what could not be run. */
export type BenchResult = {
  /** Rows a second, ours through theirs. */
  readonly verifyVsPtChecksum: number | null;
  readonly mapUs: number;
  readonly rssMiB: number;
  /** Rows that were said to differ and do not; rows that differ and were not told. */
  readonly falsePositives: number;
  readonly missed: number;
};

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

/** Verifies a mapped table while 500 of its rows change a second, next to pt-table-checksum, and then with differences planted. */
export async function runBench({ servers, rows, planted, rounds, say }: BenchOptions): Promise<BenchResult> {
  const mapUs = mapMicroseconds(Math.min(rows, 100_000));
  say(`map: ${mapUs} us a row of ten columns`);
  const databases = await createDatabases(servers);
  const { from, to, source } = databases;
  const planting = plantingIn(rows, planted);
  const writer = await createConnection({ uri: from.url, multipleStatements: true });
  try {
    await fillProduct(source, rows);
    await makeRoom(source, planting);
    const verifying = startVerifying({ from: from.url, to: to.url });
    try {
      await verifying.copied;
      const changes = startChanges(writer, rows, planting.step);
      const ratios: number[] = [];
      let falsePositives = 0;
      for (let round = 1; round <= rounds; round++) {
        const { milliseconds, verification } = await verifying.verify();
        falsePositives += verification.driftRows;
        const theirs = await checksum(from);
        if (theirs !== null) ratios.push(theirs / milliseconds);
        say(
          `round ${round}: ${Math.round((rows / milliseconds) * 1000)} rows/s verified, by pt-table-checksum ${theirs === null ? 'nothing, it is not installed' : `${Math.round((rows / theirs) * 1000)} rows/s`}`,
        );
      }
      const expected = await plantAsStranger(databases, planting);
      const { verification } = await verifying.verify();
      const found = await foundIn(databases);
      falsePositives += [...found].filter((key) => !expected.has(key)).length;
      falsePositives += Math.max(0, verification.driftRows - found.size);
      const missed = [...expected].filter((key) => !found.has(key)).length;
      say(
        `planted: ${expected.size}, found: ${found.size}; ${await changes.end()} row changes a second meanwhile`,
      );
      return {
        verifyVsPtChecksum: ratios.length === 0 ? null : Number(median(ratios).toFixed(2)),
        mapUs,
        rssMiB: await verifying.stop(),
        falsePositives,
        missed,
      };
    } finally {
      await verifying.stop().catch(() => {});
    }
  } finally {
    writer.destroy();
    await databases.drop();
  }
}

/** By an account that the flow does not know. */
async function plantAsStranger(
  { to, target }: BenchDatabases,
  planting: ReturnType<typeof plantingIn>,
): Promise<ReadonlySet<string>> {
  const url = new URL(to.url);
  const account = `'${to.schema}'@'%'`;
  await target.query(`CREATE USER ${account} IDENTIFIED BY ?`, [to.schema]);
  try {
    await target.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${to.schema}.* TO ${account}`);
    url.username = url.password = to.schema;
    const stranger = await createConnection(url.href);
    try {
      return await plant(stranger, planting);
    } finally {
      await stranger.end();
    }
  } finally {
    await target.query(`DROP USER ${account}`);
  }
}

/** Keys of the rows that the verification has kept as differing. */
async function foundIn({ to, target }: BenchDatabases): Promise<ReadonlySet<string>> {
  const [rows] = await target.query<RowDataPacket[]>(
    `SELECT DISTINCT shown FROM ${controlSchemaOf(to)}.drift`,
  );
  return new Set(rows.map((row) => String(row['shown'])));
}
