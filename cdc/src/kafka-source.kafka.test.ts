import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChangeEvent, SourceTransaction } from '@strangler/contracts';
import { binlogSource } from './binlog-source.js';
import { changeSourceConformance, read, runSteps } from './change-source.conformance.js';
import type { ChangeSource } from './change-source.js';
import { engineOf, type ScratchDatabase, scratchDatabase } from './testing/databases.js';
import { KafkaMachine } from './testing/kafka.js';
import { NASTY_TABLES } from './testing/nasty-values.js';

let machine: KafkaMachine;
beforeAll(() => {
  machine = new KafkaMachine();
});

type Opened = ScratchDatabase & { drop(): Promise<void> };
type Connector = Awaited<ReturnType<KafkaMachine['connector']>>;
const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0).toReversed()) await close();
};

async function open(
  name: string,
  tables: Readonly<Record<string, string>>,
): Promise<{ database: Opened; connector: Connector }> {
  const database = await scratchDatabase(name);
  closers.push(() => database.drop());
  await database.root.query("SET sql_mode = ''");
  for (const [table, columns] of Object.entries(tables))
    await database.root.query(`CREATE TABLE ${table} (${columns})`);
  const connector = await machine.connector(
    database,
    Object.keys(tables).map((table) => ({ database: database.schema, table, columns: ['id'] })),
  );
  closers.push(() => connector.remove());
  return { database, connector };
}

changeSourceConformance(
  'Debezium through Kafka',
  async () => {
    const { database, connector } = await open('kafka', { item: 'id INT PRIMARY KEY, name VARCHAR(60)' });
    const { root } = database;
    await root.query('CREATE TABLE other (id INT PRIMARY KEY AUTO_INCREMENT)');
    return {
      source: connector.source,
      commit: (...steps) => runSteps(root, steps, 'COMMIT'),
      rollBack: (...steps) => runSteps(root, steps, 'ROLLBACK'),
      commitElsewhere: async () => void (await root.query('INSERT INTO other VALUES (NULL)')),
      purge: () => machine.purge(connector.topic),
    };
  },
  closeAll,
);

/** Changes of one source until the row with the last id of the last table came. */
async function changesUntil(
  source: ChangeSource,
  from: { text: string },
  isLast: (change: ChangeEvent) => boolean,
): Promise<SourceTransaction[]> {
  const transactions: SourceTransaction[] = [];
  for await (const transaction of source.stream(from, new AbortController().signal)) {
    transactions.push(transaction);
    if (transaction.changes.some(isLast)) break;
  }
  return transactions;
}
const plain = (transactions: readonly SourceTransaction[]) =>
  transactions.map(({ id, committedAt, changes }) => ({
    id,
    committedAt,
    changes: changes.map(({ before, after, ...rest }) => ({
      ...rest,
      before: hex(before),
      after: hex(after),
    })),
  }));
const withoutJson = (row: Readonly<Record<string, unknown>> | null) =>
  row && Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'a'));
const hex = (row: ChangeEvent['after']) =>
  row &&
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? `bytes ${Buffer.from(value).toString('hex')}` : value,
    ]),
  );

describe('both sources', () => {
  afterAll(closeAll);

  it('give byte-equal transactions for the same statements', async () => {
    const { database, connector } = await open(
      'equal',
      Object.fromEntries(
        Object.entries(NASTY_TABLES).map(([name, { columns }]) => [
          name,
          `id INT PRIMARY KEY AUTO_INCREMENT, ${columns}`,
        ]),
      ),
    );
    const isMySql = (await engineOf(database.root)) === 'mysql';
    const binlog = binlogSource({
      database,
      tables: Object.keys(NASTY_TABLES).map((table) => ({
        database: database.schema,
        table,
        columns: ['id'],
      })),
    });
    const [fromKafka, fromBinlog] = [await connector.source.now(), await binlog.now()];
    for (const [name, { inserts }] of Object.entries(NASTY_TABLES)) {
      for (const insert of inserts) await database.root.query(`INSERT INTO ${name} SET ${insert}`);
      await database.root.query(`UPDATE ${name} SET id = id + 1000`);
      await database.root.query(`DELETE FROM ${name} LIMIT 1`);
    }
    const [last = ''] = Object.keys(NASTY_TABLES).slice(-1);
    const isLast = (change: ChangeEvent) => change.table === last && change.operation === 'delete';
    const logged = plain(await changesUntil(binlog, fromBinlog, isLast));
    const carried = plain(await changesUntil(connector.source, fromKafka, isLast));
    // MySQL tells Debezium milliseconds, and its JSON is not carried.
    const known = (transactions: typeof logged) =>
      transactions.map(({ changes, ...rest }) => ({
        ...rest,
        committedAt: Math.floor(rest.committedAt / 1_000) * 1_000,
        changes: changes.map((change) =>
          isMySql && change.table === 'json'
            ? { ...change, before: withoutJson(change.before), after: withoutJson(change.after) }
            : change,
        ),
      }));
    expect(known(carried)).toEqual(known(logged));
    expect(carried.length).toBe(
      Object.values(NASTY_TABLES).reduce((sum, { inserts }) => sum + inserts.length + 2, 0),
    );
  });
});

describe('Debezium through Kafka', () => {
  afterAll(closeAll);
  let database: Opened;
  let connector: Connector;
  beforeAll(async () => {
    ({ database, connector } = await open('kafka_ddl', {
      item: 'id INT PRIMARY KEY, name VARCHAR(60)',
      gone: 'id INT PRIMARY KEY',
      flags: 'id INT PRIMARY KEY',
    }));
  });
  const after = (transactions: readonly SourceTransaction[]) =>
    transactions.flatMap(({ changes }) => changes.map((change) => change.after));
  let marks = 0;
  /** A stream that has read a row, so that it has the columns of now. */
  async function running(): Promise<AsyncIterator<SourceTransaction>> {
    const from = await connector.source.now();
    const stream = connector.source.stream(from, new AbortController().signal)[Symbol.asyncIterator]();
    await database.root.query('INSERT INTO flags (id) VALUES (?)', [++marks]);
    expect(after([(await stream.next()).value as SourceTransaction])).toMatchObject([{ id: String(marks) }]);
    return stream;
  }

  it('follows a statement that comes before the columns were read for the first time', async () => {
    const from = await connector.source.now();
    await database.root.query(
      'INSERT INTO flags VALUES (901); ALTER TABLE flags ADD COLUMN name VARCHAR(9) FIRST; INSERT INTO flags (id) VALUES (902)',
    );
    expect(after(await read(connector.source, from, 2))).toEqual([{ id: '901' }, { name: null, id: '902' }]);
  });

  it('goes on with the columns of a statement that keeps the values', async () => {
    const stream = await running();
    await database.root.query(
      "INSERT INTO item VALUES (1, 'a'); ALTER TABLE item ADD COLUMN at DATETIME(6); INSERT INTO item VALUES (2, 'b', '2024-01-01 10:00:00.5')",
    );
    const [first, second] = [await stream.next(), await stream.next()];
    expect(after([first.value, second.value] as SourceTransaction[])).toEqual([
      { id: '1', name: 'a' },
      { id: '2', name: 'b', at: '2024-01-01 10:00:00.500000' },
    ]);
    await stream.return?.();
  });

  it.each([
    ['TRUNCATE', 'TRUNCATE TABLE gone', 'gone'],
    [
      'an XA transaction',
      "XA START 'y'; INSERT INTO item (id) VALUES (78); XA END 'y'; XA PREPARE 'y'; XA ROLLBACK 'y'; INSERT INTO item (id) VALUES (79)",
      'item',
    ],
    ['a RENAME', 'RENAME TABLE gone TO went; RENAME TABLE went TO gone', 'gone'],
  ])('stops at %s and names the table', async (_what, statements, table) => {
    const stream = await running();
    await database.root.query(statements);
    await expect(stream.next()).rejects.toMatchObject({
      code: 'STATEMENT_NOT_FOLLOWED',
      message: expect.stringContaining(`"${table}"`),
    });
  });

  it('says that the connector is away, and goes on when it is there again', async () => {
    const source = connector.source;
    const from = await source.now();
    await connector.api.pause(connector.connector);
    await database.root.query("INSERT INTO item (id, name) VALUES (200, 'while it was paused')");
    await connector.api.resume(connector.connector);
    expect(after(await read(source, from, 1))).toEqual([
      expect.objectContaining({ name: 'while it was paused' }),
    ]);
  });
});
