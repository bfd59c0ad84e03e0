import { parseArgs } from 'node:util';
import { provide } from '../proxy/system-program.js';
import { runBench } from './run-bench.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rows: { type: 'string' },
    server: { type: 'string' },
    target: { type: 'string' },
  },
});
const source = values.server ?? process.env['STRANGLER_MYSQL_URL'];
if (source === undefined)
  throw new Error('no server to write to: give --server mysql://user:password@host:3306');

const say = (sentence: string) => process.stderr.write(`${sentence}\n`);
provide(['pt-table-checksum'], !values.quick, say, { 'pt-table-checksum': 'percona-toolkit' });
const rows = Number(values.rows ?? (values.quick ? 20_000 : 2_000_000));
const result = await runBench({
  servers: { source, target: values.target ?? process.env['STRANGLER_TARGET_URL'] ?? source },
  rows,
  planted: Math.min(1_000, Math.floor(rows / 20)),
  rounds: values.quick ? 1 : 5,
  say,
});
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name}: ${value}\n`);
