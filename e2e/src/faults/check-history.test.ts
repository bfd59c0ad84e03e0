import { expect, it } from '@jest/globals';
import type { CutoverState, Side } from '@strangler/contracts';
import { checkHistory, isClean } from './check-history.js';
import type { ClientWrite, FenceSeen, Findings, History, JournalRow, LoggedWrite } from './history.js';

const WAY: readonly CutoverState[] = [
  'PREPARING',
  'HOLDING',
  'FENCED',
  'CAUGHT_UP',
  'VERIFIED',
  'COMMITTED',
  'OPEN',
  'REVERSING',
];
const attempt = (epoch: number, from: Side, to: Side, states = WAY): readonly JournalRow[] =>
  states.map((state) => ({ epoch, state, from, to }));
const order = (token: string, at: number, more: Partial<ClientWrite> = {}): ClientWrite =>
  ({
    kind: 'order',
    token,
    invokedAt: at,
    endedAt: at + 5,
    outcome: 'ok',
    via: 'proxy 1',
    told: '201',
    item: 1,
    quantity: 2,
    ...more,
  }) as ClientWrite;
const cell = (token: string, at: number, more: Partial<ClientWrite> = {}): ClientWrite =>
  ({
    kind: 'cell',
    token,
    invokedAt: at,
    endedAt: at + 5,
    outcome: 'ok',
    via: 'proxy 2',
    told: '200',
    cell: 7,
    ...more,
  }) as ClientWrite;
const logged = (
  kind: 'order' | 'cell',
  token: string,
  key: number,
  amount: number,
  epoch: number,
  at: number,
): LoggedWrite => ({ kind, token, key, amount, item: kind === 'order' ? 1 : null, epoch, at });

/** Two orders and two writes of a cell, one of each on either side of a cutover; one write was refused, one is unknown and was done, one is unknown and was not. */
const good = (): History => {
  const orders = [
    { number: 10, token: 'o1', item: 1, quantity: 2 },
    { number: 11, token: 'o2', item: 1, quantity: 2 },
    { number: 2_000, token: 'o3', item: 1, quantity: 2 },
  ];
  const holdings = {
    orders,
    stock: new Map([[1, 4]]),
    cells: new Map([[7, { token: 'c2', version: 2 }]]),
  };
  const [open, closed]: [FenceSeen, FenceSeen] = [
    { isOpen: true, epoch: 1 },
    { isOpen: false, epoch: 1 },
  ];
  return {
    writes: [
      order('o1', 10, { number: 10 }),
      order('o2', 20, { outcome: 'unknown', told: 'cut off' }),
      cell('c1', 30, { version: 1 }),
      order('o0', 35, { outcome: 'refused', told: '503' }),
      order('o9', 36, { outcome: 'unknown', told: 'cut off' }),
      order('o3', 40, { number: 2_000 }),
      cell('c2', 50, { version: 2 }),
    ],
    legacy: {
      ...holdings,
      log: [
        logged('order', 'o1', 10, 2, 0, 11),
        logged('order', 'o2', 11, 2, 0, 21),
        logged('cell', 'c1', 7, 1, 0, 31),
      ],
    },
    service: {
      ...holdings,
      log: [logged('order', 'o3', 2_000, 2, 1, 41), logged('cell', 'c2', 7, 2, 1, 51)],
    },
    firstStock: new Map([[1, 10]]),
    glimpses: [
      {
        at: 1,
        legacy: { isOpen: true, epoch: 0 },
        service: { isOpen: false, epoch: 0 },
        legacyAgain: { isOpen: true, epoch: 0 },
      },
      // The cutover fell between the looks.
      { at: 35, legacy: { isOpen: true, epoch: 0 }, service: open, legacyAgain: closed },
      { at: 60, legacy: closed, service: open, legacyAgain: closed },
    ],
    journal: attempt(1, 'legacy', 'service'),
  };
};

it('a history that keeps every promise is clean: unknown writes may be there or not, and refused ones are not', () => {
  expect(checkHistory(good())).toEqual({
    lost: [],
    duplicated: [],
    doubleAuthority: [],
    orderViolations: [],
  });
  expect(isClean(checkHistory(good()))).toBe(true);
});

it('a write whose client gave up may be done after one that began later', () => {
  const history = good();
  const writes = history.writes.map((write) =>
    write.token === 'c1'
      ? { ...write, invokedAt: 90, endedAt: 95 }
      : write.token === 'c2'
        ? cell('c2', 50, { outcome: 'unknown', told: 'cut off' })
        : write,
  );
  expect(isClean(checkHistory({ ...history, writes }))).toBe(true);
});

type Planted = readonly [what: string, kind: keyof Findings, plant: (history: History) => Partial<History>];

it.each<Planted>([
  [
    'an acknowledged write that was committed nowhere',
    'lost',
    ({ writes }) => ({ writes: [...writes, order('o5', 55)] }),
  ],
  [
    'a committed order that the other side lacks',
    'lost',
    ({ service }) => ({ service: { ...service, orders: service.orders.slice(1) } }),
  ],
  [
    'an unknown write that was committed and is gone',
    'lost',
    ({ legacy }) => ({
      legacy: { ...legacy, orders: legacy.orders.filter(({ token }) => token !== 'o2') },
    }),
  ],
  [
    'an order with another number than was told',
    'lost',
    ({ writes }) => ({ writes: [order('o1', 10, { number: 12 }), ...writes.slice(1)] }),
  ],
  [
    'an order whose quantity is another one',
    'lost',
    ({ service }) => ({
      service: { ...service, orders: service.orders.map((row) => ({ ...row, quantity: 3 })) },
    }),
  ],
  [
    'a reservation that is lost on one side',
    'lost',
    ({ service }) => ({ service: { ...service, stock: new Map([[1, 6]]) } }),
  ],
  ['a stock that was oversold', 'lost', () => ({ firstStock: new Map([[1, 5]]) })],
  [
    'the last write of a cell overwritten by an older one',
    'lost',
    ({ legacy }) => ({ legacy: { ...legacy, cells: new Map([[7, { token: 'c1', version: 1 }]]) } }),
  ],
  [
    'a write done on both sides',
    'duplicated',
    ({ service }) => ({
      service: { ...service, log: [...service.log, logged('order', 'o2', 2_001, 2, 1, 61)] },
    }),
  ],
  [
    'a row that is there twice',
    'duplicated',
    ({ legacy }) => ({
      legacy: { ...legacy, orders: [...legacy.orders, { number: 12, token: 'o1', item: 1, quantity: 2 }] },
    }),
  ],
  [
    'a refused write that was done',
    'duplicated',
    ({ legacy }) => ({
      legacy: { ...legacy, log: [...legacy.log, logged('order', 'o0', 12, 2, 0, 36)] },
    }),
  ],
  [
    'a row that no application has written',
    'duplicated',
    ({ service }) => ({
      service: { ...service, orders: [...service.orders, { number: 5, token: 'x', item: 1, quantity: 1 }] },
    }),
  ],
  [
    'a number that both sides have given',
    'duplicated',
    ({ service, writes }) => ({
      writes: [...writes, order('o5', 55, { number: 11 })],
      service: { ...service, log: [...service.log, logged('order', 'o5', 11, 2, 1, 56)] },
    }),
  ],
  [
    'both fences open at once',
    'doubleAuthority',
    ({ glimpses }) => ({
      glimpses: [
        ...glimpses,
        {
          at: 70,
          legacy: { isOpen: true, epoch: 1 },
          service: { isOpen: true, epoch: 1 },
          legacyAgain: { isOpen: true, epoch: 1 },
        },
      ],
    }),
  ],
  [
    'a write to the side that does not have the epoch',
    'doubleAuthority',
    ({ service }) => ({
      service: { ...service, log: service.log.map((entry) => ({ ...entry, epoch: 0 })) },
    }),
  ],
  [
    'a write to the new side of an attempt that was given up',
    'doubleAuthority',
    () => ({
      journal: attempt(1, 'legacy', 'service', ['PREPARING', 'HOLDING', 'FENCED', 'ABORTING', 'ABORTED']),
    }),
  ],
  [
    'a write to the old side after one to the new',
    'doubleAuthority',
    ({ legacy }) => ({
      legacy: { ...legacy, log: legacy.log.map((entry) => ({ ...entry, at: entry.at + 1_000 })) },
    }),
  ],
  [
    'an epoch that is left out',
    'doubleAuthority',
    ({ journal }) => ({
      journal: [...journal, ...attempt(3, 'service', 'legacy', ['PREPARING', 'ABORTING', 'ABORTED'])],
    }),
  ],
  [
    'a commit without a verification',
    'doubleAuthority',
    ({ journal }) => ({ journal: journal.filter(({ state }) => state !== 'VERIFIED') }),
  ],
  [
    'a row of a coordinator that was overtaken',
    'doubleAuthority',
    ({ journal }) => ({
      journal: [...journal, { epoch: 1, state: 'ABORTING', from: 'legacy', to: 'service' }],
    }),
  ],
  [
    'a cutover to the side that has the authority already',
    'doubleAuthority',
    ({ journal }) => ({ journal: [...journal, ...attempt(2, 'legacy', 'service')] }),
  ],
  [
    'an update that was lost under another one',
    'orderViolations',
    ({ service }) => ({
      service: {
        ...service,
        log: service.log.map((entry) => (entry.kind === 'cell' ? { ...entry, amount: 1 } : entry)),
      },
    }),
  ],
  [
    'a version that nobody made',
    'orderViolations',
    ({ legacy }) => ({ legacy: { ...legacy, log: legacy.log.filter(({ kind }) => kind === 'order') } }),
  ],
  [
    'a version that was told to somebody else',
    'orderViolations',
    ({ writes }) => ({ writes: [...writes.slice(0, -1), cell('c2', 50, { version: 3 })] }),
  ],
  [
    'a write that comes after one which began when it had ended',
    'orderViolations',
    ({ writes }) => ({
      writes: writes.map((write) =>
        write.token === 'c1'
          ? { ...write, invokedAt: 90, endedAt: 95 }
          : write.token === 'c2'
            ? { ...write, invokedAt: 50, endedAt: 55 }
            : write,
      ),
    }),
  ],
])('%s is found', (_, kind, plant) => {
  const history = good();
  const findings = checkHistory({ ...history, ...plant(history) });
  expect(findings[kind].length).toBeGreaterThan(0);
});
