// A small application with orders, a stock they are taken from, and cells: `main.js SIDE PORT`, its database by DATABASE_URL. It can be killed at any moment.
import { createServer, type ServerResponse } from 'node:http';
import {
  controlSchemaOf,
  fenceEpoch,
  serviceGuard,
  type ServiceGuard,
  type Side,
} from '@strangler/contracts';
import { createPool } from 'mysql2/promise';
import { DIALECTS } from '../tables.js';
import { answerOf, type Asked } from './answer.js';

const [side = 'legacy', port = '0'] = process.argv.slice(2);
const pool = createPool({
  uri: process.env['DATABASE_URL'] ?? '',
  connectionLimit: 16,
  connectTimeout: 3_000,
  enableKeepAlive: true,
});
/** Legacy knows nothing of the toolkit. */
const { order, stock, cell } = DIALECTS.service;
const schema = new URL(process.env['DATABASE_URL'] ?? '').pathname.slice(1);
const guard: ServiceGuard =
  side === 'service'
    ? serviceGuard({
        epochOf: fenceEpoch(
          async (sql, values) => (await pool.query(sql, values))[0],
          controlSchemaOf({ schema }),
          [order, stock, cell],
        ),
      })
    : (_request, _response, next) => next();
const answer = answerOf(pool, DIALECTS[side as Side]);

async function serve(asked: Asked, response: ServerResponse): Promise<void> {
  const { status, body } = await answer(asked);
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(status === 503 ? { 'retry-after': '1' } : {}),
    })
    .end(text);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = 'GET', url: path = '/' } = request;
    const text = Buffer.concat(chunks).toString();
    guard(request, response, () => void serve({ method, path, text }, response));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1', () => process.send?.({ ready: true }));
process.once('SIGTERM', () => process.exit(0));
process.once('disconnect', () => process.exit(0));
