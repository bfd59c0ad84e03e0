import { FIRST_POISONED } from './tables.js';

/** One transaction of a writer, or a statement that commits by itself. */
export type Write = {
  readonly statements: readonly string[];
  readonly end: 'COMMIT' | 'ROLLBACK' | 'none';
  /** How long the writer waits behind it. */
  readonly pauseMs: number;
};

export type WriteOptions = {
  readonly random: () => number;
  /** Ids from 1 to this are there at the beginning. */
  readonly accounts: number;
  readonly writer: number;
  readonly serial: number;
};

const LARGE_ROWS = 5_000;

/**
 * What a transaction leaves as it was, so that a reader can tell a half of one: the sum of all amounts is 0, and the number of entries is even.
 * Every write of a row counts its version up, so that the target can tell one that comes twice or late.
 */
export function chooseWrite({ random, accounts, writer, serial }: WriteOptions): Write {
  const pick = (limit: number) => Math.floor(random() * limit);
  const id = () => 1 + pick(accounts);
  const a = id();
  const b = 1 + ((a + pick(accounts - 1)) % accounts);
  const [fresh, amount, slot] = [1_000 + pick(800_000), 1 + pick(500), pick(6)];
  const region = ['north', 'süd', 'west'][pick(3)] ?? '';
  const text = `${writer}-${serial}-${pick(1e6)}`;
  const poisoned = FIRST_POISONED + pick(4);
  const [isMissing, hurts] = [random() < 0.5, random()];
  const change = 'version = version + 1';
  const toVault = (value: string) =>
    `INSERT INTO vault (region, slot, amount, version) VALUES ('${region}', ${slot}, ${value}, 1) ON DUPLICATE KEY UPDATE amount = amount + VALUES(amount), ${change}`;
  const take = (from: number) =>
    `SET @x = 0; SELECT amount INTO @x FROM account WHERE id = ${from} FOR UPDATE; DELETE FROM account WHERE id = ${from}; ${toVault('@x')}`;
  const account = (key: number, value: string | number, extra = '') =>
    `INSERT INTO account (id, code, name, state, tags, price, opened, is_open, amount, version, note) VALUES (${key}, 'c-${text}${extra}', 'Näme ${text}', '${'ABC'[pick(3)]}', 'x${pick(4)}, y,,z${pick(3)}', ${pick(1e6)}.${10 + pick(90)}, '2024-01-${10 + pick(20)} 0${pick(10)}:30:00', ${['NULL', '0', '1'][pick(3)]}, ${value}, 1, NULL)`;
  const kinds: readonly (() => string)[] = [
    () =>
      `SELECT COUNT(*) INTO @n FROM account WHERE id IN (${a}, ${b}) FOR UPDATE; UPDATE account SET amount = amount - ${amount}, ${change} WHERE id = ${a} AND @n = 2; UPDATE account SET amount = amount + ${amount}, ${change} WHERE id = ${b} AND @n = 2`,
    () =>
      `SELECT COUNT(*) INTO @n FROM account WHERE id = ${a} FOR UPDATE; UPDATE account SET amount = amount - ${amount}, ${change} WHERE id = ${a}; ${toVault(`@n * ${amount}`)}`,
    () => `${account(fresh, amount)}; ${toVault(`-${amount}`)}`,
    () => `${account(a, amount)}; ${toVault(`-${amount}`)}`,
    () => take(a),
    () => `UPDATE account SET id = ${fresh}, ${change} WHERE id = ${a}`,
    () =>
      `UPDATE account SET id = ${a}, ${change} WHERE id BETWEEN ${fresh} AND ${FIRST_POISONED - 1} LIMIT 1`,
    // A key that another row had until now, within one transaction.
    () => `${take(a)}; UPDATE account SET id = ${a}, ${change} WHERE id = ${b}`,
    () => `SET @x = 0; ${take(a)}; ${account(a, '@x')}; ${toVault('-@x')}`,
    // A unique value goes from one row to the other and back.
    () =>
      `SET @a = NULL, @b = NULL; SELECT code INTO @a FROM account WHERE id = ${a} FOR UPDATE; SELECT code INTO @b FROM account WHERE id = ${b} FOR UPDATE; UPDATE account SET code = NULL, ${change} WHERE id = ${a}; UPDATE account SET code = @a, ${change} WHERE id = ${b}; UPDATE account SET code = @b, ${change} WHERE id = ${a}`,
    () =>
      `UPDATE account SET price = price + 1, tags = 'p${pick(3)},q, r', is_open = ${pick(2)}, ${change} WHERE id BETWEEN ${a} AND ${a + 20}`,
    () =>
      `UPDATE IGNORE vault SET slot = slot + ${1 + pick(3)}, ${change} WHERE region = '${region}' AND slot = ${slot}`,
    () =>
      `SAVEPOINT s; UPDATE account SET name = 'undone', ${change} WHERE id = ${a}; ROLLBACK TO s; UPDATE account SET name = 'k ${text}', state = '${'ABC'[pick(3)]}', ${change} WHERE id = ${b}`,
  ];
  const entries = (count: number) =>
    `INSERT INTO entry (account_id, writer, serial, pad) SELECT ${a}, ${writer}, ${serial}, REPEAT('${'abcdef'[pick(6)]}', ${count > 2 ? 600 : 3}) FROM seq_1_to_${count}`;
  const chosen = Array.from({ length: 1 + pick(3) }, () => (kinds[pick(kinds.length)] as () => string)());
  const end = random() < 0.1 ? 'ROLLBACK' : 'COMMIT';
  const pauseMs = random() < 0.3 ? 0 : pick(30);
  if (hurts < 0.006) {
    const column = `extra_${writer}`;
    const table = ['', 'account', 'vault', 'entry'][writer] ?? '';
    // One statement for a table and run: of two that were not read yet sync is right to refuse what lies between.
    return {
      statements: [`ALTER TABLE ${table} ADD COLUMN ${column} VARCHAR(20) NOT NULL DEFAULT 'x' FIRST`],
      end: 'none',
      pauseMs,
    };
  }
  if (hurts < 0.014) chosen.push(entries(LARGE_ROWS));
  else chosen.push(entries(2));
  if (hurts > 0.985)
    chosen.push(
      `INSERT INTO account (id, name, state, amount, version) VALUES (${poisoned}, '${isMissing ? 'fine' : 'poison'}', '${isMissing ? 'X' : 'A'}', 0, 1) ON DUPLICATE KEY UPDATE tags = 'again', ${change}`,
    );
  return { statements: chosen, end, pauseMs };
}
