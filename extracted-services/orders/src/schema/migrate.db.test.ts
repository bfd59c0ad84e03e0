import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { CartClaim } from '../orders/cart-claim.entity.js';
import { CustomerOrder } from '../orders/customer-order.entity.js';
import { OrderItem } from '../orders/order-item.entity.js';
import { Payment } from '../orders/payment.entity.js';
import { dataSourceOptions, inspectDatabase } from '../database.js';
import { StockLevel } from '../stock/stock-level.entity.js';
import { StockReservation } from '../stock/stock-reservation.entity.js';
import { ordersDatabase, type OrdersDatabase } from '../testing/orders-database.js';
import { migrate } from './migrate.js';
import { migrations } from './migrations.js';

const SERVER = process.env['STRANGLER_MYSQL_URL'] ?? '';
let database: OrdersDatabase;

beforeEach(async () => {
  database = await ordersDatabase(SERVER);
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
    const entities = [CartClaim, CustomerOrder, OrderItem, Payment, StockLevel, StockReservation];
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
      `database "${database.name}" misses "CreateOrders1761000000000": run "npm run migrate"`,
    );
    expect(await database.query(`SHOW TABLES IN ${database.name}`)).toEqual([]);
  });

  it('says in one sentence that no server answers', async () => {
    const sentence = /^database server "127\.0\.0\.1:1" does not let the service in \(ECONNREFUSED\)/;
    await expect(migrate('mysql://root@127.0.0.1:1/orders')).rejects.toThrow(sentence);
    await expect(inspectDatabase('mysql://root@127.0.0.1:1/orders')).rejects.toThrow(sentence);
  });
});
