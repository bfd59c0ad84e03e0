/** Records as the connector of connector-config.ts writes them, for a table `shop.item` of two columns. */
type Place = { readonly transaction: string; readonly position: number; readonly row?: number };
type Record = { readonly value: string; readonly headers: Readonly<{ [name: string]: string }> };

const source = ({ position, row = 0 }: Place) => ({
  snapshot: 'false',
  db: 'shop',
  table: 'item',
  file: 'binlog.000001',
  pos: position,
  row,
});
const rowRecord = (place: Place, op: string, before: unknown, after: unknown, headers = {}): Record => ({
  value: JSON.stringify({
    before,
    after,
    source: source(place),
    op,
    transaction: { id: place.transaction, total_order: 1 },
  }),
  headers,
});
const item = (id: number, name = `n${id}`) => ({ id, name });

export const insertRecord = (place: Place, id: number) => rowRecord(place, 'c', null, item(id));
export const deleteRecord = (place: Place, id: number) => rowRecord(place, 'd', item(id), null);
export const changeOfKey = (place: Place, from: number, to: number): readonly [Record, Record] => [
  rowRecord(place, 'd', item(from), null, { '__debezium.newkey': `{"id":${to}}` }),
  rowRecord(place, 'c', null, item(to, `n${from}`), { '__debezium.oldkey': `{"id":${from}}` }),
];
export const beginRecord = (id: string): Record => ({
  value: JSON.stringify({ status: 'BEGIN', id, event_count: null, ts_ms: 1_700_000_000_000 }),
  headers: {},
});
export const endRecord = (id: string): Record => ({
  value: JSON.stringify({ status: 'END', id, event_count: 1, ts_ms: 1_700_000_000_000 }),
  headers: {},
});
export const heartbeatRecord: Record = { value: '{"ts_ms":1700000000000}', headers: {} };
export const statementRecord = (position: number, ddl: string): Record => ({
  value: JSON.stringify({
    source: source({ transaction: '', position }),
    databaseName: 'shop',
    ddl,
    tableChanges: [],
  }),
  headers: {},
});
export const truncateRecord = (place: Place): Record => rowRecord(place, 't', null, null);
