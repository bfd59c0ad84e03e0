import { compileMapping } from '@strangler/cdc';
import { type Row, tableMappingSchema } from '@strangler/contracts';
import { benchMapping } from '../cdc/bench-mapping.js';
import { writeLoad } from '../cdc/write-load.js';

/** Ten columns by every rule there is. */
const everyRule = tableMappingSchema.parse({
  from: 'product',
  to: 'item',
  key: { id: 'id' },
  columns: {
    sku: 'sku',
    name: 'name',
    price: { minor: 'price', digits: 2 },
    quantity: 'quantity',
    state: { enum: 'state', values: { available: 'yes', 'sold out': 'no' } },
    added: { utc: 'added', zone: 'Europe/Berlin' },
    note: 'note',
    owner_id: { constant: 7 },
    active: { flag: 'active' },
  },
});

const ROUNDS = 5;

/** Microseconds of the mapping of one row of ten columns: the slower of names alone and of every rule, the median of five rounds. */
export function mapMicroseconds(rows: number): number {
  const images: Row[] = [];
  for (const { changes } of writeLoad('legacy', rows, 0))
    for (const { after } of changes) if (after) images.push(after);
  const slowest = [benchMapping(), everyRule].map((mapping) => {
    const { map } = compileMapping(mapping);
    const rounds = Array.from({ length: ROUNDS }, () => {
      const startedAt = performance.now();
      for (const image of images)
        if (!map(image).ok) throw new Error('a row of the bench could not be mapped');
      return ((performance.now() - startedAt) * 1000) / images.length;
    });
    return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number;
  });
  return Number(Math.max(...slowest).toFixed(2));
}
