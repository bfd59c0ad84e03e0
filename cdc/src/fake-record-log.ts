import { recordsPurged } from './errors.js';
import type { LogRecord, RecordLog } from './record-log.js';

export type FakeRecordLog = RecordLog & {
  append(
    ...records: readonly { readonly value: string | null; readonly headers?: LogRecord['headers'] }[]
  ): void;
  purge(before: bigint): void;
};

/** A log in memory that a test writes; `gap` offsets are left out behind each record, as transactions of producers do. */
export function fakeRecordLog(gap = 0): FakeRecordLog {
  let records: LogRecord[] = [];
  let first = 0n;
  let end = 0n;
  let wake: (() => void)[] = [];
  const notify = () => {
    for (const done of wake.splice(0)) done();
  };
  return {
    append(...added) {
      for (const { value, headers = {} } of added) {
        records.push({ offset: end, value, headers });
        end += BigInt(1 + gap);
      }
      notify();
    },
    purge(before) {
      records = records.filter(({ offset }) => offset >= before);
      first = before;
    },
    bounds: async () => ({ first, end }),
    async *read(from, signal) {
      if (from < first || from > end) throw recordsPurged('fake', String(from));
      let at = from;
      signal.addEventListener('abort', notify, { once: true });
      while (!signal.aborted) {
        const next = records.filter(({ offset }) => offset >= at);
        const last = next.at(-1);
        if (last) {
          at = last.offset + 1n;
          yield next;
        } else await new Promise<void>((done) => (wake = [...wake, done]));
      }
    },
  };
}
