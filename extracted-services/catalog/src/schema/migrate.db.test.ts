import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Category } from '../catalog/category.entity.js';
import { ProductTag } from '../catalog/product-tag.entity.js';
import { Product } from '../catalog/product.entity.js';
import { dataSourceOptions, inspectDatabase } from '../database.js';
import { Review } from '../reviews/review.entity.js';
import { catalogDatabase, type CatalogDatabase } from '../testing/catalog-database.js';
import { migrate } from './migrate.js';
import { migrations } from './migrations.js';

const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';
let database: CatalogDatabase;

beforeEach(async () => {
  database = await catalogDatabase(SERVER);
});
afterEach(() => database.drop());

describe('migrating', () => {
  it('creates the database and its tables, and a second time finds nothing to do', async () => {
    expect(await migrate(database.url)).toEqual(migrations.map(({ name }) => name));
    expect(await migrate(database.url)).toEqual([]);
  });

  it('makes exactly the schema that the entities describe', async () => {
    await migrate(database.url);
    const engine = await inspectDatabase(database.url);
    const entities = [Category, Product, ProductTag, Review];
    const dataSource = await new DataSource({
      ...dataSourceOptions(engine, database.url),
      entities,
    }).initialize();
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  });

  it('can be undone', async () => {
    await migrate(database.url);
    const dataSource = await new DataSource(
      dataSourceOptions(await inspectDatabase(database.url), database.url),
    ).initialize();
    await dataSource.undoLastMigration();
    await dataSource.destroy();
    expect(await database.query(`SHOW TABLES IN ${database.name}`)).toEqual([
      { [`Tables_in_${database.name}`]: 'schema_migration' },
    ]);
  });

  it('is what the service asks for when it has not been done', async () => {
    await expect(inspectDatabase(database.url)).rejects.toThrow(
      `database "${database.name}" does not exist: create it with "npm run migrate"`,
    );
    await database.query(`CREATE DATABASE ${database.name}`);
    await expect(inspectDatabase(database.url)).rejects.toThrow(
      `database "${database.name}" misses "CreateCatalog1760000000000": run "npm run migrate"`,
    );
    expect(await database.query(`SHOW TABLES IN ${database.name}`)).toEqual([]);
  });

  it('says in one sentence that no server answers', async () => {
    const sentence = /^database server "127\.0\.0\.1:1" does not let the catalog in \(ECONNREFUSED\)/;
    await expect(migrate('mysql://root@127.0.0.1:1/catalog')).rejects.toThrow(sentence);
    await expect(inspectDatabase('mysql://root@127.0.0.1:1/catalog')).rejects.toThrow(sentence);
  });
});
