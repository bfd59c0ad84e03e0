import { type MigrationData, tableMappingSchema } from '@strangler/contracts';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { pino } from 'pino';
import { isUpTo, positionOf } from '../binlog-offset.js';
import { flowClock } from '../flow-clock.js';
import { logEnd } from '../log-end.js';
import { MigrationSync, type MigrationSyncOptions } from '../migration-sync.js';
import { noStopPoints } from '../stop-points.js';
import { type ScratchDatabase, scratchDatabase, until } from './databases.js';

const COLUMNS = { title: 'name', cost: 'price', stock: 'quantity', version: 'version' };
const TO_SERVICE = { from: 'product', to: 'item', key: { item_id: 'id' }, columns: COLUMNS };
const TO_LEGACY = {
  from: 'item',
  to: 'product',
  key: { id: 'item_id' },
  columns: Object.fromEntries(Object.entries(COLUMNS).map(([there, here]) => [here, there])),
};

/** What a mapping says of conflicts, once for each direction. */
export type Declared = { readonly there?: object; readonly back?: object };

type Side = ScratchDatabase & { drop(): Promise<void> };
/** One table on either side with other names, and a stream each way. */
export type TwoWay = {
  readonly legacy: Side;
  readonly service: Side;
  readonly log: readonly string[];
  there(options?: Partial<MigrationSyncOptions>): MigrationSync;
  back(options?: Partial<MigrationSyncOptions>): MigrationSync;
  /** The one there, where none comes back. */
  alone(): MigrationSync;
  /** Both, when the first copy is done; the one back begins where both sides are equal. */
  start(
    options?: Partial<MigrationSyncOptions>,
  ): Promise<{ readonly there: MigrationSync; readonly back: MigrationSync }>;
  writer(side: 'legacy' | 'service'): Promise<Connection>;
  /** Waits until either side has what the other one had, answers included. */
  quiet(): Promise<void>;
  /** All rows of a side as text, by key. */
  rows(side: 'legacy' | 'service'): Promise<readonly string[]>;
  drop(): Promise<void>;
};

export const THERE = 'catalog';
export const BACK = 'catalog-back';

export async function openTwoWay(declared: Declared = {}): Promise<TwoWay> {
  const [legacy, service] = [await scratchDatabase('legacy'), await scratchDatabase('service')];
  await legacy.root.query(
    'CREATE TABLE product (id INT PRIMARY KEY, name VARCHAR(100), price DECIMAL(10,2), quantity INT, version INT)',
  );
  await service.root.query(
    "CREATE TABLE item (item_id INT PRIMARY KEY, title VARCHAR(100), cost DECIMAL(10,2), stock INT, version INT, own VARCHAR(9) NOT NULL DEFAULT 'own')",
  );
  const log: string[] = [];
  const running: MigrationSync[] = [];
  const connections: Connection[] = [];
  const data = (mapping: object, more: object = {}): MigrationData => ({
    from: 'legacy',
    to: 'service',
    chunkRows: 100,
    tables: [tableMappingSchema.parse({ ...mapping, ...more })],
  });
  const syncOf = (options: Partial<MigrationSyncOptions> & Pick<MigrationSyncOptions, 'name' | 'data'>) => {
    const sync = new MigrationSync({
      from: legacy,
      to: service,
      log: pino(
        { level: 'info' },
        { write: (line: string) => void log.push((JSON.parse(line) as { msg: string }).msg) },
      ),
      clock: Date.now,
      flowClock: flowClock(),
      onAppliedUntil: () => {},
      random: Math.random,
      stopPoints: noStopPoints,
      ...options,
    });
    running.push(sync);
    return sync;
  };
  const there = (options: Partial<MigrationSyncOptions> = {}) =>
    syncOf({ name: THERE, data: data(TO_SERVICE, declared.there), echoesOf: BACK, ...options });
  const back = (options: Partial<MigrationSyncOptions> = {}) =>
    syncOf({
      name: BACK,
      data: data(TO_LEGACY, declared.back),
      from: service,
      to: legacy,
      echoesOf: THERE,
      beginsEqual: true,
      ...options,
    });
  const tailing = (sync: MigrationSync) =>
    until(() => sync.evidence(Date.now()).state === 'tailing', 'tailing', 30_000);
  const caughtUp = async (sync: MigrationSync, side: Side) => {
    const end = await logEnd(side.root);
    await until(
      () => {
        const { offset, state, problem } = sync.evidence(Date.now());
        if (state === 'stopped') throw new Error(`stopped: ${problem}`);
        return offset !== null && isUpTo(end, positionOf({ text: offset }));
      },
      'the offset of now',
      30_000,
    );
  };
  return {
    legacy,
    service,
    log,
    there,
    back,
    alone: () => syncOf({ name: THERE, data: data(TO_SERVICE, declared.there) }),
    async start(options) {
      const streams = { there: there(options), back: back(options) };
      void streams.there.wish('run');
      await tailing(streams.there);
      await caughtUp(streams.there, legacy);
      void streams.back.wish('run');
      await tailing(streams.back);
      return streams;
    },
    async writer(side) {
      const connection = await createConnection({
        uri: (side === 'legacy' ? legacy : service).url,
        multipleStatements: true,
      });
      connections.push(connection);
      return connection;
    },
    async quiet() {
      const [one, other] = running.slice(-2) as [MigrationSync, MigrationSync];
      // What is found on the way may be answered by the other side, and that answer again.
      for (let round = 0; round < 3; round++) {
        await caughtUp(one, legacy);
        await caughtUp(other, service);
      }
    },
    async rows(side) {
      const [rows] =
        side === 'legacy'
          ? await legacy.root.query<RowDataPacket[]>(
              'SELECT id, name, price, quantity, version FROM product ORDER BY id',
            )
          : await service.root.query<RowDataPacket[]>(
              'SELECT item_id, title, cost, stock, version FROM item ORDER BY item_id',
            );
      return rows.map((row) => Object.values(row).join(' '));
    },
    async drop() {
      await Promise.all(running.map((sync) => sync.stop()));
      for (const connection of connections) connection.destroy();
      await legacy.drop();
      await service.drop();
    },
  };
}
