import { parseArgs } from 'node:util';
import { benchApply } from './apply-bench.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rows: { type: 'string' },
    server: { type: 'string' },
  },
});
const server = values.server ?? process.env['STRANGLER_MYSQL_URL'];
if (server === undefined)
  throw new Error('no server to write to: give --server mysql://user:password@host:3306');
const rows = Number(values.rows ?? (values.quick ? 20_000 : 1_000_000));

const result = await benchApply(server, rows / 5, rows);
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name}: ${value}\n`);
