import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { answerFenced, fencedError, fenceEpoch, serviceGuard } from './service-guard.js';

const opened: Server[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) server.close();
});

/** A service behind the guard that counts what reaches it, and fails as `handle` does. */
const service = async (epochOf: () => Promise<number>, handle: () => void = () => {}) => {
  const seen: string[] = [];
  const guard = serviceGuard({ epochOf });
  const server = createServer((request, response) =>
    guard(request, response, () => {
      seen.push(String(request.method));
      try {
        handle();
        response.end('done');
      } catch (error) {
        const fenced = fencedError(error);
        if (fenced) answerFenced(response, fenced);
        else response.writeHead(500).end();
      }
    }),
  ).listen(0, '127.0.0.1');
  opened.push(server);
  await once(server, 'listening');
  const ask = async (method: string, epoch?: string) => {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
      method,
      headers: epoch === undefined ? {} : { 'x-strangler-epoch': epoch },
    });
    const text = await answer.text();
    const body = text.startsWith('{') ? (JSON.parse(text) as { code: string; message: string }) : undefined;
    return { status: answer.status, code: body?.code, retryAfter: answer.headers.get('retry-after') };
  };
  return { ask, seen };
};

const passed = { status: 200, code: undefined, retryAfter: null };

describe('the guard of a service', () => {
  it('refuses a write of an older epoch before anything of it is executed', async () => {
    const { ask, seen } = await service(async () => 7);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect(await ask(method, '6')).toEqual({ status: 409, code: 'STALE_EPOCH', retryAfter: null });
    expect(seen).toEqual([]);
  });

  it('passes the epoch of the fence and a newer one, reads of any, and those who say none', async () => {
    const { ask, seen } = await service(async () => 7);
    for (const epoch of ['7', '8', undefined]) expect(await ask('POST', epoch)).toEqual(passed);
    for (const method of ['GET', 'OPTIONS']) expect(await ask(method, '1')).toEqual(passed);
    expect(seen).toHaveLength(5);
  });

  it('refuses what is no epoch', async () => {
    const { ask, seen } = await service(async () => 0);
    for (const epoch of ['', 'x', '-1', '1, 2', '1e3', '9'.repeat(20)])
      expect(await ask('POST', epoch)).toMatchObject({ status: 400, code: 'EPOCH_UNREADABLE' });
    expect(seen).toEqual([]);
  });

  it('lets no write of a proxy in while the epoch cannot be read', async () => {
    const { ask, seen } = await service(() => Promise.reject(new Error('gone')));
    expect(await ask('POST', '3')).toEqual({ status: 503, code: 'EPOCH_UNKNOWN', retryAfter: '1' });
    expect(await ask('POST')).toEqual(passed);
    expect(seen).toEqual(['POST']);
  });

  it('answers a write that met the fence 503, and when to come again', async () => {
    const { ask } = await service(
      async () => 3,
      () => {
        throw Object.assign(new Error('Query failed'), {
          driverError: Object.assign(new Error(''), { sqlState: '45000', sqlMessage: 'FENCED:orders:3' }),
        });
      },
    );
    expect(await ask('POST', '3')).toEqual({ status: 503, code: 'FENCED', retryAfter: '1' });
  });
});

describe('an error of a fence', () => {
  it('is known under whatever wraps it', () => {
    const message = '(conn:4, no: 1644, SQLState: 45000) FENCED:a:b c:12\nsql: INSERT INTO orders';
    expect(fencedError(new Error(message))).toEqual({ table: 'a:b c', epoch: 12 });
    expect(fencedError(new Error('outer', { cause: new Error('FENCED:t:0') }))).toEqual({
      table: 't',
      epoch: 0,
    });
    const duplicate = Object.assign(new Error('FENCED:t:1'), { sqlState: '23000' });
    for (const other of [duplicate, new Error("Duplicate entry 'FENCED:t:1' for key 'title'")])
      expect(fencedError(other)).toBeNull();
    for (const other of [new Error('Deadlock found'), new Error('FENCED'), 'FENCED:t:1', null, undefined])
      expect(fencedError(other)).toBeNull();
  });
});

describe('the epoch of the fences', () => {
  it('is that of the newest, and 0 where none were put up', async () => {
    const asked: unknown[] = [];
    const rows = async (sql: string, values: unknown[]) => {
      asked.push(sql, values);
      return [{ epoch: '4' }];
    };
    expect(await fenceEpoch(rows, 'or`ders_strangler', ['orders', 'line'])()).toBe(4);
    expect(asked).toEqual([
      'SELECT CAST(COALESCE(MAX(epoch), 0) AS CHAR) AS epoch FROM `or``ders_strangler`.fence WHERE tbl IN (?, ?)',
      ['orders', 'line'],
    ]);
    const failing = (errno: number) => () => Promise.reject(Object.assign(new Error('no'), { errno }));
    expect(await fenceEpoch(failing(1146), 'c', ['t'])()).toBe(0);
    await expect(fenceEpoch(failing(1142), 'c', ['t'])()).rejects.toThrow('no');
  });
});
