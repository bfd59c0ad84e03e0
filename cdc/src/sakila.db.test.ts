import { afterEach, describe, expect, it } from '@jest/globals';
import { type MigrationData, type TableMapping, tableMappingSchema } from '@strangler/contracts';
import type { RowDataPacket } from 'mysql2/promise';
import { checkTables } from './check-tables.js';
import type { MigrationSync } from './migration-sync.js';
import { reversedData } from './reversed-data.js';
import { quoted, readRows } from './sql.js';
import { readTable, type Table } from './table.js';
import { type ScratchDatabase, scratchDatabase } from './testing/databases.js';
import { followed, migrationOf } from './testing/nasty.js';
import { likeSakila, loadSakila, ROWS, work } from './testing/sakila.js';

type Scratch = ScratchDatabase & { drop(): Promise<void> };
let from: Scratch;
let to: Scratch;
let sync: MigrationSync | undefined;
let round: { readonly back: Scratch; readonly home: MigrationSync } | undefined;
afterEach(async () => {
  await sync?.stop();
  await round?.home.stop();
  for (const database of [from, to, round?.back]) await database?.drop();
  round = undefined;
});

/** A database that nobody here has made: `node scripts/provide-sakila.mjs` gets it, and only then this file is run. */
describe('Sakila', () => {
  it('is copied and followed with all its tables, through its own triggers and foreign keys', async () => {
    from = await scratchDatabase('sakila');
    to = await scratchDatabase('copy');
    const { root } = from;
    await to.root.query('SET foreign_key_checks = 0');
    const tables = await loadSakila(from);
    for (const { name } of tables) await likeSakila(to, from, name);
    expect(tables.length).toBeGreaterThanOrEqual(15);

    const mappings = tables.map((table) =>
      tableMappingSchema.parse({
        from: table.name,
        to: table.name,
        key: Object.fromEntries(table.primaryKey.map((name) => [name, name])),
        columns: Object.fromEntries(
          table.columns
            .filter(({ name, kind }) => !table.primaryKey.includes(name) && kind !== 'unsupported')
            .map(({ name }) => [name, name]),
        ),
      }),
    );
    for (const mapping of mappings)
      expect(
        checkTables(
          mapping,
          {
            source: await readTable(root, from.schema, mapping.from),
            target: await readTable(to.root, to.schema, mapping.to),
            children: [],
          },
          mapping.from,
        ),
      ).toEqual([]);
    const data: MigrationData = { from: 'sakila', to: 'copy', chunkRows: 200, tables: mappings };
    sync = migrationOf('sakila', from, to, data);
    void sync.wish('run');
    // While it is copied and after.
    await work(root);
    await followed(sync, from);
    await work(root);
    await root.query(
      "INSERT INTO film (title, description, language_id, special_features, rating, release_year) VALUES ('STRANGLER FIG', 'grows round', 1, 'Trailers,Deleted Scenes', 'NC-17', 2026)",
    );
    await followed(sync, from);

    const verification = await sync.verify();
    expect(verification).toMatchObject({ clean: true, driftRows: 0 });
    expect(verification.rowsVerified).toBeGreaterThan(ROWS * 10);
    for (const table of tables) {
      const columns = table.columns.filter(({ kind }) => kind !== 'unsupported').map(({ name }) => name);
      const rows = async (database: ScratchDatabase) =>
        readRows(
          database.root,
          { ...table, database: database.schema },
          columns,
          `ORDER BY ${table.primaryKey.join()}`,
        );
      expect({ table: table.name, rows: await rows(to) }).toEqual({
        table: table.name,
        rows: await rows(from),
      });
    }
    const [texts] = await to.root.query<RowDataPacket[]>(
      "SELECT 1 FROM film_text WHERE title = 'STRANGLER FIG'",
    );
    expect(texts).toHaveLength(1);
  }, 120_000);

  it('goes there with every table called otherwise, taken apart, put together and looked up, and comes back as it was', async () => {
    from = await scratchDatabase('sakila');
    to = await scratchDatabase('renewed');
    const back = await scratchDatabase('back');
    const { root } = from;
    await to.root.query('SET foreign_key_checks = 0');
    const tables = await loadSakila(from);
    // What cannot be decoded is not carried.
    for (const { name } of tables) {
      await likeSakila(back, from, name);
      for (const { name: column, kind } of tables.find((each) => each.name === name)?.columns ?? [])
        if (kind === 'unsupported') await back.root.query(`ALTER TABLE ${name} DROP COLUMN ${column}`);
    }
    await to.root.query(MOVIES);
    const plain = tables.filter(({ name }) => !['film', 'film_text', 'film_category'].includes(name));
    for (const { name, columns } of plain) {
      await likeSakila(to, from, name, `new_${name}`);
      const renamed = columns.map(({ name: column }) => `RENAME COLUMN ${column} TO new_${column}`);
      await to.root.query(`ALTER TABLE new_${name} ${renamed.join(', ')}`);
    }
    const data: MigrationData = {
      from: 'sakila',
      to: 'renewed',
      chunkRows: 200,
      tables: [...plain.map(renamedMapping), ...MOVIE_MAPPINGS],
    };
    sync = migrationOf('sakila', from, to, data);
    void sync.wish('run');
    await work(root);
    await workOnMovies(root);
    await followed(sync, from);
    const home = migrationOf('home', to, back, reversedData(data));
    round = { back, home };
    void home.wish('run');
    await work(root);
    await workOnMovies(root);
    await followed(sync, from);
    await followed(home, to);
    expect([...sync.parked(), ...home.parked()]).toEqual([]);

    for (const table of tables) {
      const lost = LOST[table.name] ?? [];
      const columns = table.columns
        .filter(({ name, kind }) => kind !== 'unsupported' && !lost.includes(name))
        .map(({ name }) => name);
      const order = ` ORDER BY ${table.primaryKey.join()}`;
      const hasFilm = ['film_text', 'film_category'].includes(table.name);
      const rows = (database: ScratchDatabase) =>
        readRows(
          database.root,
          { ...table, database: database.schema },
          columns,
          // What hangs on a film goes with it.
          `${hasFilm ? `WHERE film_id IN (SELECT film_id FROM ${quoted(database.schema)}.film)` : ''}${order}`,
        );
      expect({ table: table.name, rows: await rows(back) }).toEqual({
        table: table.name,
        rows: await rows(from),
      });
    }
    for (const each of [sync, home]) {
      const verification = await each.verify();
      expect(verification.tables.flatMap(({ samples }) => samples)).toEqual([]);
      expect(verification).toMatchObject({ clean: true, driftRows: 0 });
      expect(verification.rowsVerified).toBeGreaterThan(ROWS * 10);
    }
    const [[told]] = await to.root.query<RowDataPacket[]>(
      'SELECT COUNT(original_language) looked, COUNT(categories) listed, COUNT(search_title) parts FROM movie',
    );
    for (const count of Object.values(told ?? {})) expect(Number(count)).toBeGreaterThan(20);
  }, 180_000);
});

const LOST: Readonly<Record<string, readonly string[]>> = { film_category: ['last_update'] };

const renamedMapping = (table: Table): TableMapping =>
  tableMappingSchema.parse({
    from: table.name,
    to: `new_${table.name}`,
    key: Object.fromEntries(table.primaryKey.map((name) => [`new_${name}`, name])),
    columns: Object.fromEntries(
      table.columns
        .filter(({ name, kind }) => !table.primaryKey.includes(name) && kind !== 'unsupported')
        .map(({ name }) => [`new_${name}`, name]),
    ),
  });

/** A film is three tables here, and what is searched and its categories are columns of the first. */
const MOVIES = `
  CREATE TABLE movie (movie_id SMALLINT UNSIGNED PRIMARY KEY, title VARCHAR(128) NOT NULL, blurb TEXT, released YEAR, language_id TINYINT UNSIGNED NOT NULL,
    original_language CHAR(20), minutes SMALLINT UNSIGNED, rating VARCHAR(9), changed_at TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP, search_title VARCHAR(255), search_text TEXT, categories VARCHAR(400));
  CREATE TABLE movie_terms (movie_id SMALLINT UNSIGNED PRIMARY KEY, days TINYINT UNSIGNED NOT NULL, rate_cents INT NOT NULL, replacement_cents INT NOT NULL);
  CREATE TABLE movie_feature (movie_id SMALLINT UNSIGNED, place INT, feature VARCHAR(40), PRIMARY KEY (movie_id, place));`;
const MOVIE_MAPPINGS = [
  tableMappingSchema.parse({
    from: 'film',
    to: 'movie',
    key: { movie_id: 'film_id' },
    columns: {
      title: 'title',
      blurb: 'description',
      released: 'release_year',
      language_id: 'language_id',
      minutes: 'length',
      rating: 'rating',
      changed_at: 'last_update',
    },
    parts: [
      {
        from: 'film_text',
        key: { movie_id: 'film_id' },
        columns: { search_title: 'title', search_text: 'description' },
      },
    ],
    lookups: {
      original_language: {
        column: 'original_language_id',
        in: 'language',
        key: 'language_id',
        value: 'name',
      },
    },
    lists: {
      categories: {
        from: 'film_category',
        key: { movie_id: 'film_id' },
        item: 'category_id',
        order: 'category_id',
        lost: ['last_update'],
      },
    },
  }),
  tableMappingSchema.parse({
    from: 'film',
    to: 'movie_terms',
    key: { movie_id: 'film_id' },
    columns: {
      days: 'rental_duration',
      rate_cents: { minor: 'rental_rate', digits: 2 },
      replacement_cents: { minor: 'replacement_cost', digits: 2 },
    },
    split: [
      {
        to: 'movie_feature',
        column: 'special_features',
        key: { movie_id: 'film_id' },
        item: 'feature',
        position: 'place',
      },
    ],
  }),
];

const workOnMovies = (root: Scratch['root']): Promise<unknown> =>
  root.query(`
    UPDATE film SET original_language_id = 1 + FLOOR(RAND() * 3), last_update = last_update WHERE film_id % 3 = 0;
    UPDATE film SET special_features = 'Commentaries,Behind the Scenes' WHERE film_id % 5 = 0;
    UPDATE film SET special_features = NULL WHERE special_features = '';
    UPDATE film SET rental_duration = 1 + FLOOR(RAND() * 9) WHERE film_id % 4 = 0;
    DELETE FROM film_category WHERE film_id % 6 = 0;
    INSERT IGNORE INTO film_category (film_id, category_id) SELECT film_id, 1 + FLOOR(RAND() * 10) FROM film;
    DELETE FROM film_text WHERE film_id % 8 = 0;
    UPDATE language SET name = CONCAT(name, 'e') WHERE language_id = 3;
    UPDATE language SET name = LEFT(name, 5) WHERE language_id = 3;`);
