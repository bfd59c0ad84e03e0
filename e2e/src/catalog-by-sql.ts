/** Keeps the first of the seed's rows and adds some as twelve years leave them: what a mapping, a collation or a sort order can trip over. */
export const fewAndOddRows = (legacy: string): string => `
USE ${legacy};
DELETE FROM product WHERE id > 160;
DELETE FROM review WHERE id > 400;
INSERT INTO category (id, parent_id, name, slug, sort_order, deleted) VALUES
  (901, 1, 'Zwilling', 'twin', 5, 0), (902, 999, 'zwilling', 'TWIN', 5, NULL), (903, NULL, NULL, NULL, NULL, 0),
  (904, 902, 'Geschlossen', 'closed', -1, 1), (905, 904, '', '', 0, NULL);
INSERT INTO product (id, category_id, sku, name, description, manufacturer, price, discount_pct, tax_pct, tags, status,
  is_visible, is_featured, image_file, created, modified, deleted_at) VALUES
  (9001, 901, 'sh-00001', 'strasse', NULL, NULL, 0.00, NULL, NULL, NULL, 'active', 1, 1, NULL, NULL, NULL, NULL),
  (9002, 902, 'SH-00001', 'straße', '', '', 0.01, 33.3, 19.0, '', 'active', 1, 0, '', '2025-10-26 02:30:00', '2025-10-26 03:00:00', NULL),
  (9003, 904, NULL, NULL, '100% _Wolle_ \\\\ Baumwolle', 'Cent & € „GmbH“', 99999999.99, 99.9, 19.0, ' , neu ,, holz, ', 'sold_out', 1, NULL, NULL, '2025-03-30 01:59:59', '2025-03-30 03:00:00', NULL),
  (9004, 999, 'ö', 'Äpfel 😀', '😀', 'Ÿ', -5.00, 5.0, 7.0, 'küche,geschenk', 'active', 1, 1, 'a.jpg', '1999-12-31 23:59:59', '2026-01-01 00:00:00', NULL),
  (9005, NULL, '', '', NULL, NULL, 1.03, 5.0, 19.0, 'neu,Neu,NEU,größe-l,grosse-l,a\\\\b,ab_c,abxc,50%', 'active', 1, 0, NULL, '2026-07-01 00:30:00', NULL, NULL),
  (9006, 905, 'X 1', 'apfel', NULL, NULL, NULL, 10.0, 19.0, ',', 'active', 1, 0, NULL, '2026-07-01 00:30:00', NULL, NULL),
  (9007, 901, 'X-2', 'Apfel', NULL, NULL, 1.15, 10.0, 0.0, 'neu', NULL, 1, 1, NULL, NULL, NULL, NULL),
  (9008, 901, 'X-3', 'Ohne', NULL, NULL, 1.15, 0.0, 7.0, 'neu', 'active', NULL, 1, NULL, NULL, NULL, NULL),
  (9009, 901, 'X-4', 'Weg', NULL, NULL, 1.15, 0.0, 7.0, 'neu', 'active', 1, 1, NULL, NULL, NULL, '2026-01-01 00:00:00'),
  (9010, 903, 'X-5', 'ohne slug', NULL, NULL, 1.15, 120.0, 7.0, 'neu', 'active', 1, 1, NULL, NULL, NULL, NULL);
INSERT INTO review (id, product_id, customer_id, author_name, rating, title, body, is_approved, created, deleted) VALUES
  (90001, NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL), (90002, 9001, 1, 'Ü', 0, '', '', 1, '2025-10-26 02:00:00', 0),
  (90003, 9001, 1, 'B', 7, '😡', 'c', 1, '2025-10-26 02:00:00', NULL), (90004, 9001, 1, 'B', -1, 't', 'c', NULL, NULL, NULL),
  (90005, 9001, 1, 'B', NULL, 't', 'c', 1, NULL, NULL), (90006, 9009, 1, 'B', 3, 't', 'c', 1, NULL, 0);
`;

/** Berlin's clock by hand, apart from any time zone library: two hours ahead of UTC in summer, one in winter. */
const SUMMERS = [
  ['2024-03-31 02:00:00', '2024-10-27 03:00:00'],
  ['2025-03-30 02:00:00', '2025-10-26 03:00:00'],
  ['2026-03-29 02:00:00', '2026-10-25 03:00:00'],
];
const utc = (column: string): string =>
  `${column} - INTERVAL IF(${SUMMERS.map(([from, to]) => `(${column} >= '${from}' AND ${column} < '${to}')`).join(' OR ')}, 2, 1) HOUR`;

/** The mapping of the plan, said a second time in SQL: from the shop's schema into the catalog's. */
export const copyCatalog = (legacy: string, catalog: string): string => `
INSERT INTO ${catalog}.category (id, parent_id, name, slug, position, deleted)
  SELECT id, parent_id, name, slug, sort_order, COALESCE(deleted, 0) FROM ${legacy}.category;
INSERT INTO ${catalog}.product (id, category_id, sku, title, description, manufacturer, price_minor, currency, discount_pct,
    tax_pct, status, visible, featured, image_file, created_at, modified_at, deleted_at)
  SELECT id, category_id, sku, name, description, manufacturer, price * 100, 'EUR', discount_pct,
    tax_pct, REPLACE(status, '_', '-'), COALESCE(is_visible, 0), COALESCE(is_featured, 0), image_file,
    ${utc('created')}, ${utc('modified')}, ${utc('deleted_at')} FROM ${legacy}.product;
INSERT INTO ${catalog}.product_tag (product_id, position, tag)
  WITH RECURSIVE place (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 30),
  element AS (
    SELECT id, n, TRIM(SUBSTRING_INDEX(SUBSTRING_INDEX(tags, ',', n), ',', -1)) AS tag
    FROM ${legacy}.product JOIN place ON n <= 1 + CHAR_LENGTH(tags) - CHAR_LENGTH(REPLACE(tags, ',', '')))
  SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY n) - 1, tag FROM element WHERE tag <> '';
INSERT INTO ${catalog}.review (id, product_id, customer_id, author_name, rating, title, body, approved, created_at, deleted)
  SELECT id, product_id, customer_id, author_name, rating, title, body, COALESCE(is_approved, 0), ${utc('created')},
    COALESCE(deleted, 0) FROM ${legacy}.review;
`;
