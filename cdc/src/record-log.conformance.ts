import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LogRecord, RecordLog } from './record-log.js';

export type RecordLogTrial = {
  readonly log: RecordLog;
  append(...values: readonly string[]): Promise<void>;
  purge(before: bigint): Promise<void>;
  close(): Promise<void>;
};

export async function readRecords(log: RecordLog, from: bigint, count: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const lot of log.read(from, new AbortController().signal)) {
    records.push(...lot);
    if (records.length >= count) break;
  }
  return records.slice(0, count);
}

/** What every record log promises. */
export function recordLogConformance(name: string, open: () => Promise<RecordLogTrial>): void {
  describe(`${name} is a record log`, () => {
    let trial: RecordLogTrial;
    beforeAll(async () => {
      trial = await open();
    });
    afterAll(() => trial.close());
    const end = async () => (await trial.log.bounds())?.end ?? 0n;
    const values = (records: readonly LogRecord[]) => records.map(({ value }) => value);

    it('yields what was appended behind an offset, once and in order', async () => {
      await trial.append('before');
      const from = await end();
      const appended = Array.from({ length: 50 }, (_, index) => `${index}`);
      await trial.append(...appended.slice(0, 20));
      await trial.append(...appended.slice(20));
      const records = await readRecords(trial.log, from, 50);
      expect(values(records)).toEqual(appended);
      expect(
        records.every(({ offset }, index) => index === 0 || offset > (records[index - 1]?.offset ?? 0n)),
      ).toBe(true);
      expect(await readRecords(trial.log, (records[9]?.offset ?? 0n) + 1n, 40)).toEqual(records.slice(10));
    });

    it('gives two readers the same', async () => {
      const from = await end();
      await trial.append('a', 'b', 'c');
      const [one, two] = await Promise.all([
        readRecords(trial.log, from, 3),
        readRecords(trial.log, from, 3),
      ]);
      expect(values(one)).toEqual(['a', 'b', 'c']);
      expect(two).toEqual(one);
    });

    it('waits for what comes, and ends when it is told to', async () => {
      const from = await end();
      const stop = new AbortController();
      const reading = trial.log.read(from, stop.signal)[Symbol.asyncIterator]();
      const next = reading.next();
      await trial.append('late');
      expect(values((await next).value as LogRecord[])).toEqual(['late']);
      const waiting = reading.next();
      stop.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
    });

    it('says when a record is gone, and when an offset is past its end', async () => {
      const from = await end();
      await trial.append('gone', 'kept');
      const [, kept] = await readRecords(trial.log, from, 2);
      await trial.purge(kept?.offset ?? 0n);
      await expect(readRecords(trial.log, from, 1)).rejects.toMatchObject({ code: 'LOG_PURGED' });
      expect(values(await readRecords(trial.log, kept?.offset ?? 0n, 1))).toEqual(['kept']);
      await expect(readRecords(trial.log, (await end()) + 1_000n, 1)).rejects.toMatchObject({
        code: 'LOG_PURGED',
      });
    });
  });
}
