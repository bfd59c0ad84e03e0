import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { Chapter } from '../story.js';

export const report: Chapter = {
  title: 'The books are closed: no order is lost, and the report is written',
  async run({ world, traffic, measured, say, claim }) {
    await traffic.stop();
    const { orders, failed, requests, failures } = traffic.report();
    const connection = await createConnection(world.databases.orders);
    const [rows] = await connection.query('SELECT number order_no FROM customer_order');
    await connection.end();
    const numbers = (rows as { order_no: string }[]).map((row) => row.order_no);
    const kept = new Set(numbers);
    claim(
      'no number was given twice',
      new Set(orders).size === orders.length && kept.size === numbers.length,
    );
    claim(
      'every order that was acknowledged is there',
      orders.every((order) => kept.has(order)),
      `${orders.length} orders`,
    );
    claim('no request failed', failed === 0, `${failed} of ${requests}:\n${failures.join('\n')}`);
    const folder = join(world.folder, 'report');
    const result = await world.strangler('report', '--out', folder);
    claim('the report is written', result.code === 0, result.err);
    measured.report = join(folder, 'report.html');
    claim(
      'the report names the migration and its owner',
      /catalog/.test(await readFile(measured.report, 'utf8')),
    );
    say(`${orders.length} orders were placed meanwhile and all are in the books`);
  },
};
