import type { Side } from '@strangler/contracts';

/** One application under test, told twice: how either side names and keeps the same things. */
export type Dialect = {
  readonly order: string;
  readonly stock: string;
  readonly cell: string;
  /** Selects number, token, item, quantity. */
  readonly orders: string;
  /** Selects item, pieces. */
  readonly stocks: string;
  /** Selects cell, token, version. */
  readonly cells: string;
  /** quantity, item, quantity */
  readonly reserve: string;
  /** token, item, quantity, cents; for a job of its own too. */
  readonly insert: (values: {
    token: string;
    item: number;
    quantity: number;
  }) => readonly [string, unknown[]];
  /** token, cell */
  readonly put: string;
  /** cell; what the put has made of its version. */
  readonly version: string;
};

const PRICE_CENTS = 1_234;

export const DIALECTS: Readonly<Record<Side, Dialect>> = {
  legacy: {
    order: 'orders',
    stock: 'stock',
    cell: 'cell',
    orders: 'SELECT nr number, ref token, item, qty quantity FROM orders ORDER BY nr',
    stocks: 'SELECT item, pieces FROM stock',
    cells: 'SELECT id cell, val token, version FROM cell',
    reserve: 'UPDATE stock SET pieces = pieces - ? WHERE item = ? AND pieces >= ?',
    insert: ({ token, item, quantity }) => [
      "INSERT INTO orders (ref, item, qty, state, total, note) VALUES (?, ?, ?, 'N', ?, NULL)",
      [token, item, quantity, ((PRICE_CENTS * quantity) / 100).toFixed(2)],
    ],
    put: 'UPDATE cell SET val = ?, version = version + 1 WHERE id = ?',
    version: 'SELECT version FROM cell WHERE id = ?',
  },
  service: {
    order: 'purchase',
    stock: 'item_stock',
    cell: 'register',
    orders:
      'SELECT purchase_id number, request_ref token, item_id item, quantity FROM purchase ORDER BY purchase_id',
    stocks: 'SELECT item_id item, available pieces FROM item_stock',
    cells: 'SELECT register_id cell, content token, revision version FROM register',
    reserve: 'UPDATE item_stock SET available = available - ? WHERE item_id = ? AND available >= ?',
    insert: ({ token, item, quantity }) => [
      "INSERT INTO purchase (request_ref, item_id, quantity, status, total_cents, remark) VALUES (?, ?, ?, 'new', ?, NULL)",
      [token, item, quantity, PRICE_CENTS * quantity],
    ],
    put: 'UPDATE register SET content = ?, revision = revision + 1 WHERE register_id = ?',
    version: 'SELECT revision version FROM register WHERE register_id = ?',
  },
};

/** What an application's own triggers have written of it; no mapping has it. */
const WRITTEN = `
  CREATE TABLE written (nr BIGINT AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(10) NOT NULL, token VARCHAR(60) NOT NULL, what BIGINT NOT NULL, amount BIGINT NOT NULL,
    item INT NULL, epoch BIGINT NOT NULL, at DATETIME(6) NOT NULL);`;

export const TABLES: Readonly<Record<Side, string>> = {
  legacy: `${WRITTEN}
  CREATE TABLE orders (nr INT AUTO_INCREMENT PRIMARY KEY, ref VARCHAR(60) NOT NULL, item INT NOT NULL, qty INT NOT NULL, state CHAR(1) NOT NULL, total DECIMAL(10,2) NOT NULL,
    note VARCHAR(80) NULL, KEY (ref));
  CREATE TABLE stock (item INT PRIMARY KEY, pieces INT NOT NULL);
  CREATE TABLE cell (id INT PRIMARY KEY, val VARCHAR(60) NOT NULL, version BIGINT NOT NULL);`,
  service: `${WRITTEN}
  CREATE TABLE purchase (purchase_id BIGINT AUTO_INCREMENT PRIMARY KEY, request_ref VARCHAR(60) NOT NULL, item_id INT NOT NULL, quantity INT NOT NULL,
    status ENUM('new','paid','void') NOT NULL, total_cents BIGINT NOT NULL, remark VARCHAR(80) NULL, KEY (request_ref));
  CREATE TABLE item_stock (item_id INT PRIMARY KEY, available INT NOT NULL);
  CREATE TABLE register (register_id INT PRIMARY KEY, content VARCHAR(60) NOT NULL, revision BIGINT NOT NULL);`,
};

/**
 * Triggers that keep a log of what applications have written, in the same transaction, with the epoch of the fence that let it pass. SYSDATE, as a statement may
 * have begun long before its row was written.
 */
export function logTriggers(side: Side, fence: string | undefined): string {
  const { order, cell } = DIALECTS[side];
  const epochOf = (table: string) =>
    fence === undefined
      ? '0'
      : `COALESCE((SELECT MAX(epoch) FROM ${fence} WHERE tbl = '${table}' LOCK IN SHARE MODE), 0)`;
  const trigger = (name: string, event: string, table: string, values: string) =>
    `CREATE OR REPLACE TRIGGER ${name} AFTER ${event} ON ${table} FOR EACH ROW
       IF COALESCE(@strangler_apply, 0) = 0 THEN INSERT INTO written (kind, token, what, amount, item, epoch, at) VALUES (${values}, ${epochOf(table)}, SYSDATE(6)); END IF;`;
  return side === 'legacy'
    ? `${trigger('orders_written', 'INSERT', order, "'order', NEW.ref, NEW.nr, NEW.qty, NEW.item")}
       ${trigger('cell_written', 'UPDATE', cell, "'cell', NEW.val, NEW.id, NEW.version, NULL")}`
    : `${trigger('purchase_written', 'INSERT', order, "'order', NEW.request_ref, NEW.purchase_id, NEW.quantity, NEW.item_id")}
       ${trigger('register_written', 'UPDATE', cell, "'cell', NEW.content, NEW.register_id, NEW.revision, NULL")}`;
}

/** The only migration of the plan. */
export const MIGRATION = 'shop';

/** Each program has an environment of its own: what it reaches through a relay has another address for it. */
export const PLAN = `version: 1
proxy:
  listen: !env PROXY_LISTEN
  admin: !env PROXY_ADMIN
  secret: !env SECRET
  stateFile: !env STATE_FILE
sync: { admin: !env SYNC_ADMIN }
control: { listen: !env CONTROL_LISTEN, ledger: !env LEDGER_DATABASE }
flags: { file: !env FLAGS_FILE }
databases: { legacy: !env LEGACY_DATABASE, service: !env SERVICE_DATABASE }
upstreams:
  legacy: { url: !env LEGACY_URL, timeouts: { connectMs: 2000, headMs: 8000 } }
  service: { url: !env SERVICE_URL, timeouts: { connectMs: 2000, headMs: 8000 } }
migrations:
  ${MIGRATION}:
    owner: team
    upstream: service
    routes: [GET /orders/:number, POST /orders, GET /cells/:cell, PUT /cells/:cell]
    canary: { steps: [100] }
    gates: { maxLagMs: 10000, minComparisons: 1, minComparisonsPerRoute: 1, maxServiceFailures: 1 }
    data:
      from: legacy
      to: service
      chunkRows: 100
      tables:
        - from: orders
          to: purchase
          key: { purchase_id: nr }
          columns:
            request_ref: ref
            item_id: item
            quantity: qty
            status: { enum: state, values: { N: new, P: paid, V: void } }
            total_cents: { minor: total, digits: 2 }
            remark: note
        - from: stock
          to: item_stock
          key: { item_id: item }
          columns: { available: pieces }
        - from: cell
          to: register
          key: { register_id: id }
          columns: { content: val, revision: version }
`;
