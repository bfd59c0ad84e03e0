import { parseArgs } from 'node:util';
import { runBench } from './run-bench.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    parts: { type: 'string', default: 'apply,capture,backfill,lag,sink' },
    rows: { type: 'string' },
    server: { type: 'string' },
    target: { type: 'string' },
  },
});
const source = values.server ?? process.env['STRANGLER_MYSQL_URL'];
if (source === undefined)
  throw new Error('no server to write to: give --server mysql://user:password@host:3306');

const result = await runBench({
  servers: { source, target: values.target ?? process.env['STRANGLER_TARGET_URL'] ?? source },
  parts: new Set(values.parts.split(',')),
  scale: values.quick ? 0.01 : 1,
  ...(values.rows === undefined ? {} : { rows: Number(values.rows) }),
  kafkaPlace: process.env['STRANGLER_KAFKA'],
  say: (sentence) => process.stderr.write(`${sentence}\n`),
});
if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name}: ${value}\n`);
