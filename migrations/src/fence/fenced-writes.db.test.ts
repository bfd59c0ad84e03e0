// Long: every way to write a row, each against a fence of a real server.

import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RowDataPacket } from 'mysql2/promise';
import { quoted } from './fence-database.js';
import type { FenceOrder, Fences } from './fences.js';
import { openShop, type Shop } from './shop.fixture.js';
import { triggerFences } from './trigger-fences.js';

const order = (epoch: number, timeoutMs = 20_000): FenceOrder => ({ epoch, coordinator: 1, timeoutMs });

let shop: Shop;
let fences: Fences;
beforeEach(async () => {
  shop = await openShop();
  fences = triggerFences(shop.database);
});
afterEach(() => shop.close());

const told = async (asked: Promise<unknown>) =>
  asked.then(
    () => 'written',
    (error: unknown) => (error as Error).message,
  );
const rowsOf = async (sql: string) => (await shop.root.query<RowDataPacket[]>(sql))[0];
/** When the session of the fence waits, as the server sees it. */
const untilSomebodyWaits = async () => {
  for (;;) {
    const [row] = await rowsOf(
      "SELECT COUNT(*) n FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
    );
    if (Number(row?.['n']) > 0) return;
    // The view is made anew only when nobody has looked for 100 ms.
    await shop.root.query('DO SLEEP(0.15)');
  }
};

describe('a closed fence', () => {
  it('refuses every statement that changes a row, with one code and one sentence', async () => {
    await shop.root.query("INSERT INTO one VALUES (1, 'a'), (2, 'b')");
    await fences.install(['one'], { open: true, epoch: 0 });
    await fences.close(['one'], order(12));
    const before = await rowsOf('SELECT * FROM one');
    const session = await shop.connect();
    const statements = [
      "INSERT INTO one (title) VALUES ('x')",
      "INSERT INTO one (title) VALUES ('x'), ('y'), ('z')",
      "INSERT IGNORE INTO one (title) VALUES ('x')",
      "INSERT INTO one (id, title) VALUES (1, 'x') ON DUPLICATE KEY UPDATE title = 'x'",
      "INSERT INTO one (title) SELECT title FROM (SELECT 'x' title) other",
      "REPLACE INTO one (id, title) VALUES (1, 'x')",
      "UPDATE one SET title = 'x' WHERE id = 1",
      "UPDATE IGNORE one SET title = 'x'",
      "UPDATE one JOIN two ON two.id = one.id OR TRUE SET one.title = 'x'",
      'DELETE FROM one',
      'DELETE IGNORE FROM one WHERE id = 1',
      'DELETE one FROM one LEFT JOIN two ON two.id = one.id',
    ];
    await shop.root.query("INSERT INTO two VALUES (7, 'seven')");
    for (const statement of statements)
      for (const run of [() => session.query(statement), () => session.execute(statement)]) {
        const error = await run().then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect([statement, error]).toEqual([
          statement,
          expect.objectContaining({ sqlState: '45000', sqlMessage: 'FENCED:one:12' }),
        ]);
      }
    expect(await rowsOf('SELECT * FROM one')).toEqual(before);
  });

  it.each(['', ' IGNORE', ' REPLACE'])('refuses rows of a file%s', async (how) => {
    await fences.install(['one'], { open: false, epoch: 2 });
    const session = await shop.connect();
    const loaded = session.query({
      sql: `LOAD DATA LOCAL INFILE 'rows'${how} INTO TABLE one (title)`,
      infileStreamFactory: () => Readable.from([Buffer.from('x\ny\n')]),
    });
    // Rows that come from the client may be refused one by one, with a warning in place of the error.
    await told(loaded);
    expect(await rowsOf('SELECT * FROM one')).toEqual([]);
  });

  it.each(['READ UNCOMMITTED', 'READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'])(
    'is seen by a %s transaction that began before it closed',
    async (level) => {
      await fences.install(['one', 'two'], { open: true, epoch: 0 });
      const session = await shop.connect();
      await session.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
      await session.query('START TRANSACTION');
      await session.query('SELECT * FROM one');
      expect(await fences.close(['one', 'two'], order(3))).toEqual({ kind: 'moved' });
      expect(await told(session.query("INSERT INTO one (title) VALUES ('x')"))).toBe('FENCED:one:3');
      await session.query('ROLLBACK');
    },
  );

  it('takes back what its statement has done elsewhere, and leaves the transaction to its owner', async () => {
    await shop.root.query(
      "CREATE TRIGGER theirs BEFORE INSERT ON one FOR EACH ROW INSERT INTO two (title) VALUES (CONCAT('of ', NEW.title))",
    );
    await fences.install(['one'], { open: true, epoch: 0 });
    await shop.root.query("INSERT INTO one (title) VALUES ('a')");
    expect(await rowsOf('SELECT title FROM two')).toEqual([{ title: 'of a' }]);
    await fences.close(['one'], order(1));
    const session = await shop.connect();
    await session.query('START TRANSACTION');
    await session.query("INSERT INTO two (title) VALUES ('kept')");
    expect(await told(session.query("INSERT INTO one (title) VALUES ('b')"))).toBe('FENCED:one:1');
    await session.query('COMMIT');
    expect(await rowsOf('SELECT title FROM two ORDER BY id')).toEqual([{ title: 'of a' }, { title: 'kept' }]);
    const [first] = await rowsOf(
      "SELECT TRIGGER_NAME name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_OBJECT_TABLE = 'one' AND EVENT_MANIPULATION = 'INSERT' ORDER BY ACTION_ORDER",
    );
    expect(first).toEqual({ name: 'strangler_fence_insert_one' });
    await fences.remove(['one']);
    await shop.root.query("INSERT INTO one (title) VALUES ('c')");
    expect(await rowsOf("SELECT title FROM two WHERE title = 'of c'")).toHaveLength(1);
  });

  it('refuses everyone when its row or its table is lost', async () => {
    await fences.install(['one'], { open: true, epoch: 5 });
    await shop.root.query(`DELETE FROM ${quoted(shop.database.control)}.fence`);
    expect(await told(shop.root.query("INSERT INTO one (title) VALUES ('x')"))).toBe('FENCED:one:0');
    expect((await fences.look(['one']))[0]).toMatchObject({ state: null, defects: ['has no fence row'] });
    await shop.root.query(`DROP TABLE ${quoted(shop.database.control)}.fence`);
    expect(await told(shop.root.query("INSERT INTO one (title) VALUES ('x')"))).toMatch(/fence/);
    expect(await fences.close(['one'], order(6))).toEqual({ kind: 'missing', tables: ['one'] });
    await fences.install(['one'], { open: true, epoch: 6 });
    expect(await told(shop.root.query("INSERT INTO one (title) VALUES ('x')"))).toBe('written');
  });
});

describe('closing a fence', () => {
  it('leaves no row of a writer behind it in the log', async () => {
    await fences.install(['one', 'two'], { open: true, epoch: 0 });
    // Servers have different names for it.
    const [at] = await rowsOf('SHOW BINARY LOG STATUS').catch(() => rowsOf('SHOW MASTER STATUS'));
    const session = await shop.connect();
    const writer = await shop.begin('application', session);
    await writer.write('one');
    const closing = fences.close(['one', 'two'], order(1));
    await untilSomebodyWaits();
    // More of the same transaction, and somebody who comes later and has to wait behind the fence.
    await writer.write('one');
    const later = shop
      .connect()
      .then((other) => told(other.query("INSERT INTO one (title) VALUES ('later')")));
    await writer.commit();
    expect(await closing).toEqual({ kind: 'moved' });
    expect(await later).toMatch(/^(FENCED:one:1|written)$/);
    expect(await told(session.query("INSERT INTO one (title) VALUES ('x')"))).toBe('FENCED:one:1');

    const events = await rowsOf(
      `SHOW BINLOG EVENTS IN '${String(at?.['File'])}' FROM ${Number(at?.['Position'])}`,
    );
    const maps = events
      .filter((event) => String(event['Event_type']) === 'Table_map')
      .map((event) => /\((.*)\)/.exec(String(event['Info']))?.[1]);
    const fence = maps.lastIndexOf(`${shop.database.control}.fence`);
    expect(fence).toBeGreaterThan(-1);
    expect(maps.lastIndexOf(`${shop.database.schema}.one`)).toBeGreaterThan(-1);
    expect(maps.lastIndexOf(`${shop.database.schema}.one`)).toBeLessThan(fence);
    const [count] = await rowsOf('SELECT COUNT(*) n FROM one');
    expect(Number(count?.['n'])).toBe(maps.filter((map) => map === `${shop.database.schema}.one`).length);
  });

  it('loses no acknowledged write and takes none later, with eight who write all the time', async () => {
    await fences.install(['one', 'two'], { open: true, epoch: 0 });
    const written = { one: 0, two: 0 };
    const answers: string[] = [];
    const busy = async (index: number) => {
      const session = await shop.connect();
      const tables = index % 2 === 0 ? (['one', 'two'] as const) : (['two', 'one'] as const);
      for (;;) {
        try {
          await session.query('START TRANSACTION');
          for (const table of tables) await session.query(`INSERT INTO ${table} (title) VALUES ('x')`);
          await session.query('COMMIT');
          for (const table of tables) written[table]++;
        } catch (error) {
          await session.query('ROLLBACK');
          answers.push((error as Error).message);
          if ((error as Error).message.startsWith('FENCED:')) return;
        }
      }
    };
    const all = Promise.all(Array.from({ length: 8 }, (_, index) => busy(index)));
    while (written.one < 40) await shop.root.query('DO 0');
    expect(await fences.close(['one', 'two'], order(1))).toEqual({ kind: 'moved' });
    const [then] = await rowsOf('SELECT (SELECT COUNT(*) FROM one) one, (SELECT COUNT(*) FROM two) two');
    await all;
    const [now] = await rowsOf('SELECT (SELECT COUNT(*) FROM one) one, (SELECT COUNT(*) FROM two) two');
    expect(now).toEqual(then);
    expect(now).toEqual(written);
    expect(answers.filter((answer) => !/^FENCED:(one|two):1$|Deadlock/.test(answer))).toEqual([]);
  });

  it('steps back in a deadlock with a writer, and closes behind it', async () => {
    await fences.install(['one', 'two'], { open: true, epoch: 0 });
    const writer = await shop.begin('application');
    await writer.write('two');
    const closing = fences.close(['one', 'two'], order(1));
    await untilSomebodyWaits();
    // The fence of "one" is held by the closing session, which waits for that of "two".
    await writer.write('one');
    await writer.commit();
    expect(await closing).toEqual({ kind: 'moved' });
    const [row] = await rowsOf('SELECT (SELECT COUNT(*) FROM one) one, (SELECT COUNT(*) FROM two) two');
    expect(row).toEqual({ one: 1, two: 1 });
  });

  it('does not wait for writers of another group', async () => {
    await shop.root.query('CREATE TABLE aside LIKE one');
    await fences.install(['one', 'aside', 'two'], { open: true, epoch: 0 });
    const writer = await shop.begin('application');
    await writer.write('aside');
    expect(await fences.close(['one', 'two'], order(1))).toEqual({ kind: 'moved' });
    await writer.write('aside');
    await writer.commit();
  });

  it('leaves nobody waiting when it gives up, and names whoever was in the way', async () => {
    await fences.install(['one'], { open: true, epoch: 0 });
    const account = await shop.account([`ALL ON ${quoted(shop.database.schema)}.*`]);
    const session = await shop.connect(account);
    const writer = await shop.begin('application', session);
    await writer.write('one');
    const moved = await fences.close(['one'], order(1, 200));
    expect(moved).toMatchObject({
      kind: 'blocked',
      blockers: [{ account: expect.stringMatching(new RegExp(`^${account.user}@`)), statement: null }],
    });
    expect(await told(shop.root.query("INSERT INTO one (title) VALUES ('x')"))).toBe('written');
    await writer.commit();
  });

  it('refuses a session that has locked the table, or waits until it has not', async () => {
    await fences.install(['one'], { open: true, epoch: 0 });
    const session = await shop.connect();
    await session.query('LOCK TABLES one WRITE');
    const { kind } = await fences.close(['one'], order(1, 300));
    const then = await told(session.query("INSERT INTO one (title) VALUES ('x')"));
    // MySQL locks what triggers read as well, MariaDB does not.
    expect([
      ['moved', 'FENCED:one:1'],
      ['blocked', 'written'],
    ]).toContainEqual([kind, then]);
    await session.query('UNLOCK TABLES');
    expect(await fences.close(['one'], order(1))).toEqual({ kind: 'moved' });
  });

  it.each(['READ COMMITTED', 'REPEATABLE READ'])(
    'waits for whatever a %s transaction wrote',
    async (level) => {
      await shop.root.query("INSERT INTO one VALUES (1, 'a'), (2, 'b')");
      await fences.install(['one'], { open: true, epoch: 0 });
      const session = await shop.connect();
      await session.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
      for (const statement of [
        "INSERT INTO one (title) VALUES ('x')",
        "UPDATE one SET title = 'y' WHERE id = 1",
        "UPDATE one LEFT JOIN two ON two.id = one.id SET one.title = 'z'",
        'DELETE FROM one WHERE id = 2',
      ]) {
        await session.query('START TRANSACTION');
        await session.query(statement);
        const { kind } = await fences.close(['one'], order(1, 150));
        expect([statement, kind]).toEqual([statement, 'blocked']);
        await session.query('ROLLBACK');
      }
      expect(await fences.close(['one'], order(1))).toEqual({ kind: 'moved' });
    },
  );
});

describe('fences and names', () => {
  it.each([
    'a'.repeat(64),
    'with blank',
    "it's",
    'dollar$',
    'Upper',
    'ümlaut',
    'back`tick',
    'back\\slash',
    '100%',
  ])('holds for a table named %s', async (table) => {
    await shop.root.query(`CREATE TABLE ${quoted(table)} LIKE one`);
    await fences.install([table], { open: true, epoch: 0 });
    expect(await fences.toInstall([table], { open: true, epoch: 0 })).toEqual([]);
    expect(await fences.close([table], order(2))).toEqual({ kind: 'moved' });
    expect(await told(shop.root.query(`INSERT INTO ${quoted(table)} (title) VALUES ('x')`))).toBe(
      `FENCED:${table}:2`,
    );
    await fences.remove([table]);
    expect(await told(shop.root.query(`INSERT INTO ${quoted(table)} (title) VALUES ('x')`))).toBe('written');
  });
});

describe('looking at fences', () => {
  it('finds a trigger that is gone or is another, which keeps the fence from being moved', async () => {
    await fences.install(['one', 'two'], { open: true, epoch: 0 });
    await shop.root.query('DROP TRIGGER strangler_fence_update_one');
    await shop.root.query('DROP TRIGGER strangler_fence_delete_two');
    await shop.root.query(
      'CREATE TRIGGER strangler_fence_delete_two BEFORE DELETE ON two FOR EACH ROW SET @nothing = 1',
    );
    expect((await fences.look(['one', 'two'])).map(({ defects }) => defects)).toEqual([
      ['has no trigger `strangler_fence_update_one`'],
      ['has a trigger `strangler_fence_delete_two` that is not that of this version'],
    ]);
    expect(await fences.close(['one', 'two'], order(1))).toEqual({ kind: 'missing', tables: ['one', 'two'] });
    await fences.install(['one', 'two'], { open: true, epoch: 0 });
    expect(await fences.close(['one', 'two'], order(1))).toEqual({ kind: 'moved' });
  });

  it('says which foreign key writes a table past its fence', async () => {
    await shop.root.query(
      'CREATE TABLE child (id INT PRIMARY KEY, one_id INT, two_id INT, CONSTRAINT c1 FOREIGN KEY (one_id) REFERENCES one (id) ON DELETE CASCADE, CONSTRAINT c2 FOREIGN KEY (two_id) REFERENCES two (id))',
    );
    expect((await fences.look(['child'])).map(({ gaps }) => gaps)).toEqual([
      ['ON DELETE CASCADE of foreign key "c1" writes it from "one", which has no fence of this migration'],
    ]);
    expect((await fences.look(['child', 'one'])).flatMap(({ gaps }) => gaps)).toEqual([]);
  });

  it('says which privilege is missing, with the statement that gives it', async () => {
    const account = await shop.account([`SELECT ON ${quoted(shop.database.schema)}.*`]);
    await expect(
      triggerFences(account.database).install(['one'], { open: true, epoch: 0 }),
    ).rejects.toMatchObject({
      code: 'FENCE_NOT_ALLOWED',
      message: expect.stringMatching(
        new RegExp(`GRANT TRIGGER ON \`${shop.database.schema}\`\\.\\* TO '${account.user}'@'%'`),
      ),
    });
    await expect(fences.install(['nothing'], { open: true, epoch: 0 })).rejects.toMatchObject({
      code: 'FENCE_TABLE_UNKNOWN',
    });
  });
});
