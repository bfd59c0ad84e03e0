import { advanceWhenReady } from '../operator.js';
import type { Chapter } from '../story.js';
import { until } from '../until.js';

export const backfillAndTail: Chapter = {
  title: 'The rows are copied while the shop goes on, then every change follows',
  async run({ world, say, progress, claim }) {
    await advanceWhenReady(world, 10_000, '--to', 'syncing');
    await until('the backfill', 90_000, async () => {
      const sync = (await world.syncEvidence()).migrations['catalog'];
      if (sync?.problem) throw new Error(sync.problem);
      const tables = sync?.backfill.tables ?? [];
      const [copied, total] = [
        tables.reduce((sum, table) => sum + table.copied, 0),
        tables.reduce((sum, table) => sum + table.total, 0),
      ];
      if (total > 0) progress(copied, Math.max(copied, total), 'rows copied');
      return sync?.state === 'tailing';
    });
    const lagMs = await until(
      'a first heartbeat through the stream',
      10_000,
      async () => (await world.syncEvidence()).migrations['catalog']?.lagMs ?? undefined,
    );
    claim('the service follows the monolith within two seconds', lagMs < 2_000, `${lagMs.toFixed(0)} ms`);
    say(
      `lag from a commit in the monolith's database to the commit in the service's: ${lagMs.toFixed(0)} ms`,
    );
  },
};
