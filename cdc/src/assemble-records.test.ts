import { describe, expect, it } from '@jest/globals';
import { recordAssembler } from './assemble-records.js';
import { topicOffsetOf } from './source-coordinate.js';
import type { Table } from './table.js';
import {
  beginRecord as begin,
  changeOfKey,
  deleteRecord,
  endRecord as end,
  heartbeatRecord,
  insertRecord as insert,
  statementRecord,
  truncateRecord,
} from './testing/debezium-records.js';

const column = { charset: 'utf8mb4', nullable: true, hasDefault: false, generated: false, labels: [] };
const table: Table = {
  database: 'shop',
  name: 'item',
  primaryKey: ['id'],
  columns: [
    { ...column, name: 'id', type: 'int(11)', kind: 'integer', nullable: false },
    { ...column, name: 'name', type: 'varchar(60)', kind: 'text' },
  ],
};
type Given = { readonly value: string | null; readonly headers: Readonly<Record<string, string>> };

/** What the records give, transactions as `id: changes`. */
function assemble(records: readonly Given[], from = '0@binlog.000001:4:0@0-1-1', more = {}) {
  const take = recordAssembler({
    topic: 'topic',
    start: topicOffsetOf({ text: from }),
    captured: new Map([['shop.item', { database: 'shop', table: 'item', columns: ['id', 'name'] }]]),
    tableOf: (name) => (name === 'shop.item' ? table : undefined),
    onRows: () => {},
    pieceBytes: Infinity,
    ...more,
  });
  return records.flatMap((record, offset) => {
    const assembled = take({ ...record, offset: BigInt(offset) });
    if (!assembled) return [];
    if ('alter' in assembled) return [`alter ${assembled.alter.name}`];
    const { id, next, changes, isContinued = false } = assembled.transaction;
    const shown = changes.map(({ operation, before, after }) =>
      operation === 'truncate'
        ? operation
        : `${operation} ${String(before?.['id'] ?? '')}>${String(after?.['id'] ?? '')}`,
    );
    return [`${isContinued ? 'part of ' : ''}${id} ${shown.join(', ')} -> ${next.text}`];
  });
}
const at = (transaction: string, position: number, row = 0) => ({ transaction, position, row });
const [t1, t2] = ['0-1-2', '0-1-3'];
const whole = [begin(t1), insert(at(t1, 100), 1), insert(at(t1, 100, 1), 2), insert(at(t1, 200), 3), end(t1)];
const WHOLE = '0-1-2 insert >1, insert >2, insert >3';

describe('records of a connector become transactions', () => {
  it('whole, closed by their end, with the offset behind it', () => {
    expect(assemble([...whole, heartbeatRecord, begin(t2), deleteRecord(at(t2, 300), 1), end(t2)])).toEqual([
      `${WHOLE} -> 5@binlog.000001:200:0@0-1-2`,
      '0-1-3 delete 1> -> 9@binlog.000001:300:0@0-1-3',
    ]);
  });

  it('never split and never doubled, from wherever a crash lets them be published again', () => {
    for (let crash = 1; crash <= whole.length; crash++)
      for (let again = 0; again <= crash; again++) {
        const records = [...whole.slice(0, crash), ...whole.slice(again)];
        const given = assemble([...records, begin(t2), insert(at(t2, 300), 9), end(t2)]);
        expect(given.map((line) => line.split(' ->')[0])).toEqual([WHOLE, '0-1-3 insert >9']);
      }
  });

  it('also where the crash is in a later transaction and an earlier one comes again within it', () => {
    const given = assemble([
      ...whole,
      begin(t2),
      insert(at(t2, 300), 8),
      ...whole,
      begin(t2),
      insert(at(t2, 300), 8),
      insert(at(t2, 300, 1), 9),
      end(t2),
    ]);
    expect(given.map((line) => line.split(' ->')[0])).toEqual([WHOLE, '0-1-3 insert >8, insert >9']);
  });

  it('leaving out what lies before the offset that is gone on from', () => {
    expect(assemble(whole, '0@binlog.000001:200:0@0-1-2')).toEqual([]);
    // The thousand and first file of a log is behind its last with six digits.
    expect(assemble(whole, '0@binlog.1000000:4:0@0-1-9')).toEqual([]);
  });

  it('in pieces when they are large, each with the offset of its beginning', () => {
    const pieces = ['part of 0-1-2 insert >1', 'part of 0-1-2 insert >2', 'part of 0-1-2 insert >3'];
    const begins = '1@binlog.000001:4:0@0-1-1';
    expect(assemble(whole, undefined, { pieceBytes: 1 })).toEqual([
      ...pieces.map((piece) => `${piece} -> ${begins}`),
      '0-1-2  -> 5@binlog.000001:200:0@0-1-2',
    ]);
    // Read again from there, all of it comes again.
    expect(assemble(whole, begins)).toEqual([`${WHOLE} -> 5@binlog.000001:200:0@0-1-2`]);
    expect(() =>
      assemble([...whole.slice(0, -1), begin(t2), insert(at(t2, 300), 2)], undefined, { pieceBytes: 1 }),
    ).toThrow(expect.objectContaining({ code: 'STATEMENT_NOT_FOLLOWED' }));
  });

  it('with a change of key as one update, in whatever order its halves come again', () => {
    const [leaves, arrives] = changeOfKey(at(t1, 100), 1, 7);
    for (const records of [
      [leaves, arrives],
      [leaves, leaves, arrives],
      [leaves, arrives, leaves, arrives],
    ])
      expect(assemble([begin(t1), ...records, end(t1)])[0]).toContain('0-1-2 update 1>7 ->');
  });

  it('but not with half a change of key', () => {
    const [leaves, arrives] = changeOfKey(at(t1, 100), 1, 7);
    for (const records of [[leaves], [arrives], [leaves, insert(at(t1, 200), 5)]])
      expect(() => assemble([...records, end(t1)])).toThrow(/half of a change of key/);
  });

  it('but not without their end: it was an XA transaction, or taken back', () => {
    const open = [begin(t1), insert(at(t1, 100), 1)];
    expect(assemble([...open, begin(t2), end(t2), heartbeatRecord])).toEqual([]);
    expect(() => assemble([...open, begin(t2), insert(at(t2, 300), 2)])).toThrow(
      expect.objectContaining({ code: 'STATEMENT_NOT_FOLLOWED' }),
    );
  });

  it('but not from a log that began anew behind our back', () => {
    const from = '0@binlog.000009:900:0@0-1-40';
    expect(assemble([insert(at('0-1-39', 100), 1), end('0-1-39')], from)).toEqual([]);
    expect(() => assemble([insert(at('0-1-41', 100), 1)], from)).toThrow(
      expect.objectContaining({ code: 'LOG_PURGED' }),
    );
    const mysql = '8f1c2d3e-0000-0000-0000-000000000001';
    expect(() =>
      assemble(
        [insert(at('8f1c2d3e-0000-0000-0000-000000000002:1', 100), 1)],
        `0@binlog.000009:900:0@${mysql}:40`,
      ),
    ).toThrow(expect.objectContaining({ code: 'LOG_PURGED' }));
  });

  it('stopping at what takes rows away unlogged, and asking for the columns behind an ALTER', () => {
    for (const record of [
      truncateRecord(at(t1, 100)),
      statementRecord(100, 'TRUNCATE TABLE item'),
      statementRecord(100, 'RENAME TABLE `shop`.`item` TO `shop`.`x`'),
    ])
      expect(() => assemble([record])).toThrow(expect.objectContaining({ code: 'STATEMENT_NOT_FOLLOWED' }));
    expect(
      assemble([
        statementRecord(100, 'ALTER TABLE item ADD x INT'),
        statementRecord(110, 'CREATE TABLE other (id INT)'),
      ]),
    ).toEqual(['alter shop.item']);
  });

  it('going on behind a TRUNCATE where that empties the target', () => {
    expect(assemble([truncateRecord(at(t1, 100))], undefined, { yieldsTruncate: true })).toEqual([
      '1@binlog.000001:100:0@0-1-1 truncate -> 1@binlog.000001:100:0@0-1-1',
    ]);
  });

  it('and nothing else: what is no record of ours is told with its offset', () => {
    expect(() => assemble([{ value: null, headers: {} }])).toThrow(
      /record "0" of topic "topic" has no value/,
    );
  });
});
