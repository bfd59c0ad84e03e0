import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { kafkaSource } from './kafka-source.js';
import type { RecordLog } from './record-log.js';
import { scratchDatabase } from './testing/databases.js';
import { heartbeatRecord } from './testing/debezium-records.js';

const LOTS = 500;

it('what was read from Kafka is let go of, however long a stream lasts', async () => {
  const database = await scratchDatabase('released');
  const lots: WeakRef<object>[] = [];
  const end = new AbortController();
  let tellAllRead = () => {};
  const allRead = new Promise<void>((done) => (tellAllRead = done));
  const log: RecordLog = {
    bounds: async () => ({ first: 0n, end: BigInt(LOTS) }),
    async *read(_from, signal) {
      for (let offset = 0n; offset < LOTS; offset++) {
        const lot = [{ offset, ...heartbeatRecord }];
        lots.push(new WeakRef(lot));
        yield lot;
      }
      tellAllRead();
      await once(signal, 'abort');
    },
  };
  const watch = async () => undefined;
  const source = kafkaSource({ database, tables: [], connector: 'one', topic: 'one', log, watch });
  try {
    const offset = { text: '0@binlog.000001:4:0@0-1-1' };
    const reading = source.stream(offset, end.signal)[Symbol.asyncIterator]().next();
    await allRead;
    await turn();
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    const kept = lots.filter((lot) => lot.deref() !== undefined);
    expect(lots).toHaveLength(LOTS);
    expect(kept.length).toBeLessThan(5);
    end.abort();
    expect(await reading).toEqual({ done: true, value: undefined });
  } finally {
    end.abort();
    await database.drop();
  }
});
