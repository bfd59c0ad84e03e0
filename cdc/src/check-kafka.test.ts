import { describe, expect, it } from '@jest/globals';
import { checkCarried } from './check-kafka.js';
import { kindOf } from './column.js';
import type { Table } from './table.js';

const table = (types: Readonly<Record<string, string>>): Table => ({
  database: 'shop',
  name: 'item',
  primaryKey: ['id'],
  columns: Object.entries(types).map(([name, type]) => ({
    name,
    type,
    charset: null,
    nullable: true,
    hasDefault: false,
    generated: false,
    kind: kindOf(type, null),
    labels: [],
  })),
});
const STRICT = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE';

describe('what Debezium does not carry', () => {
  it('is refused where it is mapped, and told by name', () => {
    const found = checkCarried(table({ id: 'int(11)', u: 'uuid', v: 'uuid' }), ['id', 'u'], STRICT, 'place');
    expect(found).toEqual([expect.objectContaining({ code: 'COLUMN_NOT_CARRIED', path: 'place' })]);
    expect(found[0]?.message).toContain('"u"');
    const [json] = checkCarried(table({ id: 'int', j: 'json', k: 'json' }), ['id', 'j'], STRICT, 'place');
    expect(json?.message).toContain('"j"');
  });

  it('is refused wherever it ends the connector', () => {
    expect(checkCarried(table({ id: 'int(11)', ip: 'inet6' }), ['id'], STRICT, 'place')).toHaveLength(1);
  });

  it('is refused for dates while the server takes zero dates', () => {
    const dated = table({ id: 'int(11)', at: 'datetime(6)', seen: 'timestamp' });
    expect(checkCarried(dated, ['id', 'at', 'seen'], STRICT, 'place')).toEqual([]);
    for (const mode of [
      '',
      'STRICT_TRANS_TABLES',
      'NO_ZERO_DATE,NO_ZERO_IN_DATE',
      'STRICT_ALL_TABLES,NO_ZERO_DATE',
    ])
      expect(checkCarried(dated, ['id', 'at'], mode, 'place')[0]?.message).toContain('"at"');
    expect(checkCarried(dated, ['id', 'seen'], '', 'place')).toEqual([]);
  });
});
