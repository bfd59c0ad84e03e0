import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { despiteDeadlocks } from './despite-deadlocks.js';

it('two transactions that lock the same rows the other way round both get through', async () => {
  const name = `shop_${randomBytes(4).toString('hex')}`;
  const database = new DataSource({ type: 'mariadb', url: process.env['STRANGLER_MYSQL_URL']! });
  await database.initialize();
  try {
    await database.query(`CREATE DATABASE ${name}`);
    await database.query(`CREATE TABLE ${name}.t (id INT PRIMARY KEY, n INT NOT NULL)`);
    await database.query(`INSERT INTO ${name}.t VALUES (1, 0), (2, 0)`);
    let attempts = 0;
    let waiting = 0;
    let bothHold = (): void => undefined;
    const meeting = new Promise<void>((resolve) => (bothHold = resolve));
    const add = (first: number, second: number) =>
      despiteDeadlocks(() =>
        database.transaction(async (manager) => {
          attempts++;
          await manager.query(`UPDATE ${name}.t SET n = n + 1 WHERE id = ?`, [first]);
          if (++waiting === 2) bothHold();
          await meeting;
          await manager.query(`UPDATE ${name}.t SET n = n + 1 WHERE id = ?`, [second]);
        }),
      );
    await Promise.all([add(1, 2), add(2, 1)]);
    expect(await database.query(`SELECT n FROM ${name}.t`)).toEqual([{ n: 2 }, { n: 2 }]);
    expect(attempts).toBe(3);
  } finally {
    await database.query(`DROP DATABASE IF EXISTS ${name}`);
    await database.destroy();
  }
});

it('any other failure is told at once', async () => {
  let attempts = 0;
  const failing = despiteDeadlocks(() => {
    attempts++;
    return Promise.reject(new Error('the disk is full'));
  });
  await expect(failing).rejects.toThrow('the disk is full');
  expect(attempts).toBe(1);
});
