import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServer } from '../../scripts/mysql-server.mjs';
import { checkStandbys } from './check-standbys.js';
import { engineOf, type ScratchDatabase, scratchDatabase } from './testing/databases.js';

let database: ScratchDatabase & { drop(): Promise<void> };
beforeEach(async () => {
  database = await scratchDatabase('legacy');
});
afterEach(() => database.drop());
const codes = async (...failover: string[]) =>
  (await checkStandbys(database, failover)).map(({ code, path }) => `${code} ${path}`);

describe('a preflight of servers to fail over to', () => {
  it('lets one be that does not answer, and the database itself', async () => {
    const gone = new URL(database.url);
    gone.port = '1';
    expect(await codes(gone.href)).toEqual([]);
  });

  it('finds one that does not log what it replicates, or nothing at all', async () => {
    const off = await startServer({ args: ['--log-slave-updates=0'] });
    try {
      const other = await scratchDatabase('other', off.url);
      expect(await codes(other.url)).toEqual(['LOG_NOT_REPLICATED sync.failover.legacy[0]']);
    } finally {
      await off.stop();
    }
    const silent = await startServer({ args: ['--skip-log-bin'] });
    try {
      const other = await scratchDatabase('other', silent.url);
      expect(await codes(other.url)).toEqual(['LOG_OFF sync.failover.legacy[0]']);
    } finally {
      await silent.stop();
    }
  });

  it('finds one whose transactions have no ids', async () => {
    if ((await engineOf(database.root)) === 'mariadb') return;
    const server = await startServer({ args: ['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF'] });
    try {
      const other = await scratchDatabase('other', server.url);
      expect(await codes(other.url)).toEqual(['FAILOVER_WITHOUT_GTID sync.failover.legacy[0]']);
    } finally {
      await server.stop();
    }
  });
});
