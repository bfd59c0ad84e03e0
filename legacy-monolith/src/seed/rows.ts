import { hashPassword } from '../accounts/password.js';
import type { Random } from './random.js';
import * as words from './words.js';

export type Row = Record<string, string | number | null>;

const DAY = 86_400_000;
const FIRST_DAY = Date.UTC(2024, 9, 1);
export const DAYS = 730;

/** Local times lie between 06:00 and 22:59, so that none falls into the hour that daylight saving skips or repeats. */
export function localTime(random: Random, day: number): string {
  const date = new Date(FIRST_DAY + day * DAY).toISOString().slice(0, 10);
  const two = (high: number, low = 0): string => String(random.between(low, high)).padStart(2, '0');
  return `${date} ${two(22, 6)}:${two(59)}:${two(59)}`;
}

export const sku = (id: number): string => `SH-${String(id).padStart(5, '0')}`;

export function categories(): Row[] {
  const rows: Row[] = [];
  const add = (parent: number | null, name: string, slug: string, order: number | null): number => {
    rows.push({
      id: rows.length + 1,
      parent_id: parent,
      name,
      slug,
      sort_order: order,
      deleted: rows.length % 3 ? 0 : null,
    });
    return rows.length;
  };
  for (const [at, [name, slug, boards]] of words.shelves.entries()) {
    const shelf = add(null, name, slug, (at + 1) * 10);
    for (const [board, [boardName, boardSlug]] of boards.entries())
      add(shelf, boardName, boardSlug, board === 2 ? null : board + 1);
  }
  rows.at(-1)!['deleted'] = 1;
  return rows;
}

export function products(random: Random, count: number, categoryCount: number): Row[] {
  return Array.from({ length: count }, (_, at) => {
    const id = at + 1;
    const showcase = id <= 3;
    const day = random.between(0, DAYS - 100);
    const usually = <T>(value: T, share = 0.97): T | null =>
      showcase || random.chance(share) ? value : null;
    return {
      id,
      category_id: showcase ? 1 : usually(random.between(1, categoryCount)),
      sku: sku(id),
      name: `${random.pick(words.adjectives)} ${random.pick(words.nouns)} ${random.pick(words.editions)} ${random.between(1, 99)}`,
      description: usually(
        Array.from({ length: random.between(1, 6) }, () => random.pick(words.sentences)).join(' '),
        0.92,
      ),
      manufacturer: usually(random.pick(words.manufacturers), 0.93),
      price: usually((random.between(99, 39_999) / 100).toFixed(2), 0.985),
      discount_pct: discount(random),
      tax_pct: usually(random.chance(0.78) ? '19.0' : '7.0', 0.95),
      tags: showcase ? 'küche, geschenk,,neu' : tagColumn(random),
      status: showcase ? 'active' : status(random),
      is_visible: showcase || random.chance(0.94) ? 1 : random.chance(0.7) ? 0 : null,
      is_featured: random.chance(0.02) || showcase ? 1 : random.chance(0.8) ? 0 : null,
      image_file: usually(`${random.hex(4)}.jpg`, 0.9),
      created: usually(localTime(random, day), 0.99),
      modified: usually(localTime(random, day + random.between(1, 99)), 0.9),
      deleted_at: !showcase && random.chance(0.02) ? localTime(random, DAYS - 1) : null,
    };
  });
}

function discount(random: Random): string | null {
  if (random.chance(0.45)) return random.pick(['5.0', '7.5', '10.0', '12.5', '15.0', '20.0', '33.3']);
  return random.chance(0.5) ? '0.0' : null;
}

function status(random: Random): string | null {
  const roll = random.between(1, 100);
  if (roll <= 80) return 'active';
  if (roll <= 88) return 'sold_out';
  if (roll <= 94) return 'draft';
  return roll <= 98 ? 'gone' : null;
}

/** Three people typed this column, each in a way of their own; no tag comes twice in a row. */
function tagColumn(random: Random): string | null {
  if (random.chance(0.08)) return null;
  const chosen = new Set(Array.from({ length: random.between(0, 4) }, () => random.pick(words.tagWords)));
  const text = [...chosen].join(random.pick([',', ',', ', ', ' ,']));
  return random.chance(0.06) ? `${text},` : random.chance(0.04) ? `, ${text}` : text;
}

export function reviews(random: Random, count: number, productCount: number, customerCount: number): Row[] {
  return Array.from({ length: count }, (_, at) => {
    const showcase = at < 3;
    const usually = <T>(value: T, share: number): T | null =>
      showcase || random.chance(share) ? value : null;
    return {
      id: at + 1,
      product_id: showcase ? 1 : random.between(1, productCount),
      customer_id: usually(random.between(1, customerCount), 0.8),
      author_name: usually(
        `${random.pick(words.firstNames)} ${random.pick(words.lastNames).slice(0, 1)}.`,
        0.95,
      ),
      rating: usually(Math.min(5, random.between(1, 8)), 0.99),
      title: usually(random.pick(words.reviewTitles), 0.9),
      body: usually(random.pick(words.reviewBodies), 0.93),
      is_approved: showcase || random.chance(0.9) ? 1 : random.chance(0.5) ? 0 : null,
      created: usually(localTime(random, random.between(0, DAYS - 1)), 0.99),
      deleted: showcase ? null : random.chance(0.03) ? 1 : random.chance(0.2) ? 0 : null,
    };
  });
}

/** `customer17@shop.test` is id 17 and logs in with `secret17`; the admin is the row after the last customer. */
export function customers(random: Random, count: number): Row[] {
  const person = (id: number, email: string, password: string): Row => ({
    id,
    email,
    password_hash: hashPassword(password, random.hex(8)),
    first_name: random.pick(words.firstNames),
    last_name: random.pick(words.lastNames),
    street: `${random.pick(words.streets)} ${random.between(1, 140)}`,
    city: random.pick(words.cities),
    zip: random.chance(0.95) ? String(random.between(10_000, 99_999)) : null,
    newsletter: random.pick([0, 1, null]),
    is_admin: random.chance(0.5) ? 0 : null,
    created: localTime(random, random.between(0, DAYS - 1)),
    deleted: id > 50 && random.chance(0.03) ? 1 : null,
  });
  const rows = Array.from({ length: count }, (_, at) =>
    person(at + 1, `customer${at + 1}@shop.test`, `secret${at + 1}`),
  );
  const admin = person(count + 1, 'admin@shop.test', 'admin');
  return [...rows, { ...admin, first_name: 'Ada', last_name: 'Admin', is_admin: 1, deleted: null }];
}
