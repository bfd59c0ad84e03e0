import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectApi, reasonIn } from './connect-api.js';

let server: Server | undefined;
afterEach(() => void server?.close());

/** A Connect that answers what it is told to, in order, and keeps what it was asked. */
async function connectThat(...answers: readonly (readonly [number, unknown])[]) {
  const asked: string[] = [];
  const left = [...answers];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const [status, body] = left.shift() ?? [500, {}];
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(body === null ? '' : JSON.stringify(body));
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { api: connectApi(url, async () => {}), asked };
}

describe('the interface of Kafka Connect', () => {
  it('says what is not there, and is no error', async () => {
    const { api } = await connectThat([404, {}], [404, {}], [404, {}]);
    expect([await api.configOf('a'), await api.status('a'), await api.remove('a')]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });

  it('waits while the workers settle who does what', async () => {
    const { api, asked } = await connectThat([409, {}], [409, {}], [201, {}]);
    await api.put('a', {});
    expect(asked).toEqual(Array(3).fill('PUT /connectors/a/config'));
  });

  it('lets go of offsets only when the connector stands still', async () => {
    const { api, asked } = await connectThat(
      [202, null],
      [400, { message: 'still stopping' }],
      [200, {}],
      [204, null],
      [200, {}],
      [404, {}],
    );
    expect(await api.remove('a b')).toBe(true);
    expect(asked).toEqual([
      'PUT /connectors/a%20b/stop',
      'DELETE /connectors/a%20b/offsets',
      'DELETE /connectors/a%20b/offsets',
      'DELETE /connectors/a%20b',
      'GET /connectors/a%20b/status',
      'GET /connectors/a%20b/status',
    ]);
  });

  it('tells what was refused, and what does not answer', async () => {
    const { api } = await connectThat([400, { message: 'unknown class' }]);
    await expect(api.put('a', {})).rejects.toMatchObject({
      code: 'CONNECT_REFUSED',
      message: expect.stringContaining('unknown class'),
    });
    await new Promise((done) => server?.close(done));
    await expect(api.status('a')).rejects.toMatchObject({ code: 'CONNECT_UNREACHABLE' });
  });

  it('gives the innermost reason of a failed task', () => {
    expect(
      reasonIn(
        'org.apache.kafka.connect.errors.ConnectException: An exception occurred.\n\tat x.Y.z(Y.java:1)\nCaused by: io.debezium.DebeziumException: row size 2\n\tat x.Y.z(Y.java:1)\nCaused by: java.lang.NullPointerException\n\t... 2 more',
      ),
    ).toBe('row size 2');
  });
});
