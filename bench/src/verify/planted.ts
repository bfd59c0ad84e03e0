import type { Connection } from 'mysql2/promise';

export const PLANTED_KINDS = [
  'missing',
  'extra',
  'value',
  'case',
  'trailing space',
  'microsecond',
  'cent',
  'NULL for empty',
] as const;
type Kind = (typeof PLANTED_KINDS)[number];

/** Every `step`-th id has a difference planted, and nobody else writes it: what is written again is right again. */
export type Planting = { readonly step: number; readonly ids: readonly number[] };

export function plantingIn(rows: number, count: number): Planting {
  const step = Math.max(2, Math.floor(rows / count));
  const ids = Array.from({ length: Math.min(count, Math.floor(rows / step)) }, (_, at) => (at + 1) * step);
  return { step, ids };
}

const kindOf = (at: number) => PLANTED_KINDS[at % PLANTED_KINDS.length] as Kind;

const idsOf = ({ ids }: Planting, ...kinds: readonly Kind[]) =>
  ids.filter((_, at) => kinds.includes(kindOf(at)));

/** Before the first copy: ids that stay free, between the others, and texts that are empty. */
export async function makeRoom(source: Connection, planting: Planting): Promise<void> {
  await source.query('DELETE FROM product WHERE id IN (?)', [idsOf(planting, 'extra')]);
  await source.query("UPDATE product SET note = '' WHERE id IN (?)", [idsOf(planting, 'NULL for empty')]);
}

/** Some of the rows that are extra lie before and behind all others. */
const extraId = (id: number, at: number) => (at % 3 === 0 ? -id : at % 3 === 1 ? id : id + 1_000_000_000);

/** Makes the copy differ; answers the keys that do. */
export async function plant(target: Connection, planting: Planting): Promise<ReadonlySet<string>> {
  const change: Readonly<Partial<Record<Kind, string>>> = {
    value: 'quantity = quantity + 1',
    case: 'name = UPPER(name)',
    'trailing space': "name = CONCAT(name, ' ')",
    microsecond: 'added = added + INTERVAL 1 MICROSECOND',
    cent: 'price = price + 0.01',
    'NULL for empty': 'note = NULL',
  };
  for (const [kind, assignment] of Object.entries(change))
    await target.query(`UPDATE item SET ${assignment} WHERE id IN (?)`, [idsOf(planting, kind as Kind)]);
  await target.query('DELETE FROM item WHERE id IN (?)', [idsOf(planting, 'missing')]);
  const extra = idsOf(planting, 'extra').map(extraId);
  await target.query('INSERT INTO item (id, sku) VALUES ?', [extra.map((id) => [id, `extra-${id}`])]);
  return new Set([
    ...planting.ids.filter((_, at) => kindOf(at) !== 'extra').map(String),
    ...extra.map(String),
  ]);
}
