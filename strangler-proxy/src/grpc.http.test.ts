import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { parse as parseProto } from 'protobufjs';
import { checkGrpc } from './load-grpc-method.js';
import { bodyOf, closedUrl, createRig, eventually, type MigrationSetup, planOf } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const PROTO = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
enum State { UNKNOWN = 0; ACTIVE = 1; }
message Money { int64 units = 1; string currency = 2; }
message Item {
  int64 item_id = 1; string name = 2; Money price = 3; State state = 4; repeated string tags = 5;
  bool visible = 6; google.protobuf.Timestamp created = 7; google.protobuf.StringValue note = 8; bytes raw = 9;
  map<string, double> sizes = 10;
}
message GetItem { int64 item_id = 1; bool visible = 2; repeated string tags = 3; State state = 4; Money below = 5; }
message PutItem { int64 item_id = 1; Item item = 2; }
message Found { Item item = 1; }
service Items {
  rpc Get(GetItem) returns (Item);
  rpc Put(PutItem) returns (Found);
  rpc List(GetItem) returns (stream Item);
  rpc Feed(stream GetItem) returns (Item);
}`;
type Fields = Record<string, unknown>;
type Call = { request: Fields; metadata: Metadata; deadline?: unknown };
type Answers = {
  readonly unary?: (request: Fields) => unknown;
  readonly list?: (call: ServerWritableStream<Fields, Fields>) => void;
};

/** A real gRPC server; `calls` holds what it was asked, decoded by the library itself. */
async function items({ unary = () => ({}), list = (call) => void call.end() }: Answers = {}) {
  const { root } = parseProto(PROTO.replaceAll(/import "[^"]+";/g, ''), {
    // The types of Google are of the bundle; here they are only decoded by the same numbers.
  });
  const calls: Call[] = [];
  root
    .define('google.protobuf')
    .add(
      parseProto(
        'syntax="proto3"; message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
      ).root.lookupType('Timestamp'),
    );
  root
    .define('google.protobuf')
    .add(
      parseProto('syntax="proto3"; message StringValue { string value = 1; }').root.lookupType('StringValue'),
    );
  const method = (name: string, request: string, response: string, responseStream = false) => {
    const [asked, answered] = [root.lookupType(`shop.${request}`), root.lookupType(`shop.${response}`)];
    const options = { longs: String, enums: String };
    return {
      path: `/shop.Items/${name}`,
      requestStream: false,
      responseStream,
      requestSerialize: (value: Fields) => Buffer.from(asked.encode(asked.fromObject(value)).finish()),
      requestDeserialize: (bytes: Buffer): Fields => asked.toObject(asked.decode(bytes), options),
      responseSerialize: (value: Fields) => Buffer.from(answered.encode(answered.fromObject(value)).finish()),
      responseDeserialize: (bytes: Buffer): Fields => answered.toObject(answered.decode(bytes), options),
    };
  };
  const answer = (call: ServerUnaryCall<Fields, Fields>, done: sendUnaryData<Fields>) => {
    calls.push({ request: call.request, metadata: call.metadata, deadline: call.getDeadline() });
    const result = unary(call.request);
    if (result instanceof Promise) return;
    const failure = result as { code?: number };
    if (failure.code !== undefined) done(failure);
    else done(null, result as Fields);
  };
  const server = new Server();
  server.addService(
    {
      Get: method('Get', 'GetItem', 'Item'),
      Put: method('Put', 'PutItem', 'Found'),
      List: method('List', 'GetItem', 'Item', true),
    },
    {
      Get: answer,
      Put: answer,
      List(call: ServerWritableStream<Fields, Fields>) {
        calls.push({ request: call.request, metadata: call.metadata });
        list(call);
      },
    },
  );
  const port = await new Promise<number>((done, failed) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? failed(error) : done(bound),
    ),
  );
  rig.own(() => server.forceShutdown());
  return { url: `http://127.0.0.1:${port}`, calls };
}

const GET = {
  match: 'GET /items/:id',
  grpc: { proto: 'items.proto', service: 'shop.Items', method: 'Get', fields: { id: 'item_id' } },
};
const PUT = {
  match: 'PUT /items/:item_id',
  grpc: {
    proto: 'items.proto',
    service: 'shop.Items',
    method: 'Put',
    body: 'item',
    responseBody: 'item',
    defaults: false,
  },
};
const LIST = (rules = {}) => ({
  match: 'GET /items',
  grpc: { proto: 'items.proto', service: 'shop.Items', method: 'List', ...rules },
});

async function before(service: string, routes: readonly unknown[], rest: Partial<MigrationSetup> = {}) {
  const at = await rig.folder();
  await writeFile(join(at, 'items.proto'), PROTO);
  const legacy = await rig.server((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end('{"of":"legacy"}');
  });
  const setup = { legacy: legacy.url, service, phase: 'extracted' as const, routes, ...rest };
  return rig.migration({ ...setup, options: { plan: planOf({ at, ...setup }), ...rest.options } });
}
async function ask(url: string, method = 'GET', body?: string, headers: Record<string, string> = {}) {
  const request = httpRequest(url, { method, headers }).end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: String(await bodyOf(response)) };
}

describe('a route to a gRPC method', () => {
  it('makes a message of path and query, and JSON of its answer', async () => {
    const { url, calls } = await items({
      unary: () => ({
        itemId: '9007199254740993',
        name: 'Lamp',
        price: { units: '1290', currency: 'EUR' },
        state: 'ACTIVE',
        created: { seconds: '1760000000', nanos: 500_000_000 },
        note: { value: 'new' },
        raw: Buffer.from('hi'),
        sizes: { s: 1.5 },
      }),
    });
    const proxy = await before(url, [GET]);
    const answer = await ask(
      `${proxy.url}/items/9007199254740993?visible=false&tags=a&tags=b&state=ACTIVE&below.units=5&utm=x`,
    );
    expect(calls[0]?.request).toEqual({
      itemId: '9007199254740993',
      tags: ['a', 'b'],
      visible: false,
      state: 'ACTIVE',
      below: { units: '5' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(answer.body.length),
    });
    expect(JSON.parse(answer.body)).toEqual({
      itemId: '9007199254740993',
      name: 'Lamp',
      price: { units: '1290', currency: 'EUR' },
      state: 'ACTIVE',
      tags: [],
      visible: false,
      created: '2025-10-09T08:53:20.500Z',
      note: 'new',
      raw: 'aGk=',
      sizes: { s: 1.5 },
    });
  });

  it('makes a field of the body, and the answer of a field', async () => {
    const { url, calls } = await items({ unary: ({ item }) => ({ item }) });
    const proxy = await before(url, [PUT]);
    const item = {
      item_id: '12345678901234567',
      name: 'Lamp',
      created: '2026-01-31T12:00:00.25+01:00',
      note: 'x',
      sizes: { l: 2 },
    };
    const answer = await ask(`${proxy.url}/items/7`, 'PUT', JSON.stringify(item).replace(/"(\d{17})"/, '$1'));
    expect(calls[0]?.request).toMatchObject({
      itemId: '7',
      item: {
        itemId: '12345678901234567',
        created: { seconds: '1769857200', nanos: 250_000_000 },
        note: { value: 'x' },
      },
    });
    expect(JSON.parse(answer.body)).toEqual({
      itemId: '12345678901234567',
      name: 'Lamp',
      created: '2026-01-31T11:00:00.250Z',
      note: 'x',
      sizes: { l: 2 },
    });
  });

  it.each([
    ['a path that is no number', 'GET', '/items/lamp', undefined, '"itemId" is not of type int64'],
    [
      'a query that is no boolean',
      'GET',
      '/items/1?visible=perhaps',
      undefined,
      '"visible" is not of type bool',
    ],
    ['a name that is no state', 'GET', '/items/1?state=toString', undefined, '"state" is not one of State'],
    ['a body that is no JSON', 'PUT', '/items/1', '{"a":', 'not the JSON'],
    ['a time that is none', 'PUT', '/items/1', '{"created":"soon"}', '"item.created" is not a time'],
  ])('refuses %s, and calls nobody', async (_what, method, path, body, reason) => {
    const { url, calls } = await items();
    const proxy = await before(url, [GET, PUT]);
    const answer = await ask(`${proxy.url}${path}`, method, body);
    expect(answer.status).toBe(400);
    expect((JSON.parse(answer.body) as { message: string }).message).toContain(reason);
    expect(calls).toEqual([]);
    expect((await proxy.evidence()).migrations['catalog']?.serviceFailures).toBe(0);
  });

  it.each([
    [5, 404, 'NOT_FOUND'],
    [16, 401, 'UNAUTHENTICATED'],
    [8, 429, 'RESOURCE_EXHAUSTED'],
    [14, 503, 'UNAVAILABLE'],
    [9, 409, 'FAILED_PRECONDITION'],
  ])('answers the status %i of the service by %i', async (code, status, name) => {
    const { url } = await items({ unary: () => ({ code, details: 'no such item' }) });
    const proxy = await before(url, [
      { ...GET, grpc: { ...GET.grpc, status: { FAILED_PRECONDITION: 409 } } },
    ]);
    const answer = await ask(`${proxy.url}/items/1`);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      status,
      { code: name, message: 'no such item' },
    ]);
  });

  it('carries the headers it names as metadata, and tells the service how long it may take', async () => {
    const { url, calls } = await items();
    const proxy = await before(url, [
      {
        ...GET,
        grpc: { ...GET.grpc, metadata: ['authorization', 'x-id'] },
        transform: { request: { headers: { set: { 'x-id': ':id' } } } },
      },
    ]);
    await ask(`${proxy.url}/items/1`, 'GET', undefined, { authorization: 'Bearer x', 'x-other': '1' });
    expect(calls[0]?.metadata.getMap()).toMatchObject({ authorization: 'Bearer x', 'x-id': '1' });
    expect(calls[0]?.metadata.getMap()).not.toHaveProperty('x-other');
    expect(Number(calls[0]?.deadline)).toBeLessThanOrEqual(Date.now() + 30_000);
  });

  it('that is not there, or keeps silent, is told as of any upstream, without its address', async () => {
    const gone = await before(await closedUrl(), [GET]);
    const refused = await ask(`${gone.url}/items/1`);
    expect(refused).toMatchObject({ status: 502, body: expect.stringContaining('"PROXY_UPSTREAM_REFUSED"') });
    expect(refused.body).not.toContain('127.0.0.1');
    const { url } = await items({ unary: () => new Promise(() => {}) });
    const silent = await before(url, [GET], { serviceOptions: { timeoutMs: 200 } });
    expect(await ask(`${silent.url}/items/1`)).toMatchObject({
      status: 504,
      body: expect.stringContaining('"PROXY_UPSTREAM_TIMEOUT"'),
    });
  });

  it('that cannot take it lets legacy answer a client in canary', async () => {
    const { url } = await items({ unary: () => ({ code: 14, details: 'later' }) });
    const proxy = await before(url, [GET], { phase: 'canary', share: 100 });
    expect(await ask(`${proxy.url}/items/1`)).toMatchObject({ status: 200, body: '{"of":"legacy"}' });
  });

  it('is transformed as every other answer', async () => {
    const { url } = await items({ unary: () => ({ itemId: '1', name: 'Lamp' }) });
    const proxy = await before(url, [
      {
        ...GET,
        grpc: { ...GET.grpc, defaults: false },
        transform: { response: { json: { rename: { '/itemId': 'id' } } } },
      },
    ]);
    expect(await ask(`${proxy.url}/items/1`)).toMatchObject({
      status: 200,
      body: '{"name":"Lamp","id":"1"}',
    });
  });

  it('is asked beside legacy and compared in shadow', async () => {
    const { url, calls } = await items({ unary: () => ({ name: 'legacy' }) });
    const proxy = await before(
      url,
      [
        {
          ...GET,
          grpc: { ...GET.grpc, defaults: false },
          transform: { response: { json: { rename: { '/name': 'of' } } } },
        },
      ],
      { phase: 'shadow' },
    );
    await ask(`${proxy.url}/items/1`);
    const route = await eventually(
      async () => (await proxy.evidence()).migrations['catalog']?.routes[0],
      (each) => Object.values(each?.comparisons ?? {}).some((count) => count > 0),
    );
    expect(route?.comparisons).toMatchObject({ match: 1, mismatch: 0 });
    expect(calls[0]?.metadata.getMap()).toMatchObject({ 'x-strangler-shadow': '1' });
  });
});

describe('a stream of messages', () => {
  const three = (call: ServerWritableStream<Fields, Fields>) => {
    for (const name of ['a', 'b', 'c']) call.write({ name });
    call.end();
  };

  it.each([
    ['lines', three, 'application/x-ndjson', '{"name":"a"}\n{"name":"b"}\n{"name":"c"}\n'],
    ['array', three, 'application/json', '[{"name":"a"},{"name":"b"},{"name":"c"}]'],
    ['array', undefined, 'application/json', '[]'],
    ['lines', undefined, 'application/x-ndjson', ''],
  ] as const)('is sent as %s', async (stream, list, type, body) => {
    const { url } = await items(list && { list });
    const proxy = await before(url, [LIST({ stream, defaults: false })]);
    const answer = await ask(`${proxy.url}/items`);
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([200, type, body]);
  });

  it('reaches the client message by message, and ends when the client leaves', async () => {
    let call: ServerWritableStream<Fields, Fields> | undefined;
    const { url } = await items({
      list(given) {
        call = given;
        given.write({ name: 'first' });
      },
    });
    const proxy = await before(url, [LIST({ defaults: false })]);
    const request = httpRequest(`${proxy.url}/items`).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(String(chunk)).toBe('{"name":"first"}\n');
    request.on('error', () => {}).destroy();
    expect(await eventually(() => call?.cancelled, Boolean)).toBe(true);
  });

  it('that fails before its first message is an error, and one that fails later is cut', async () => {
    const early = await items({ list: (call) => void call.emit('error', { code: 5, details: 'nothing' }) });
    const one = await before(early.url, [LIST()]);
    expect(await ask(`${one.url}/items`)).toMatchObject({ status: 404 });
    const late = await items({
      list(call) {
        call.write({ name: 'a' }, () => call.emit('error', { code: 13, details: 'broken' }));
      },
    });
    const other = await before(late.url, [LIST()]);
    await expect(ask(`${other.url}/items`)).rejects.toThrow('aborted');
  });

  it('is stopped at its source while the client does not read', async () => {
    let written = 0;
    const { url } = await items({
      list(call) {
        const name = 'x'.repeat(100_000);
        const write = (): void => {
          let flows = true;
          while (flows && written < 2_000) {
            written++;
            flows = call.write({ name });
          }
          if (!flows) call.once('drain', write);
        };
        write();
      },
    });
    const proxy = await before(url, [LIST()]);
    const request = httpRequest(`${proxy.url}/items`)
      .on('error', () => {})
      .end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    const [seen, now] = await eventually(
      async () => {
        const at = written;
        await new Promise((done) => setTimeout(done, 300));
        return [at, written] as const;
      },
      ([at, later]) => at === later,
    );
    expect(now).toBe(seen);
    expect(now).toBeLessThan(1_000);
    request.destroy();
  });
});

describe('the check of a plan', () => {
  it.each([
    ['no file', { proto: 'none.proto' }, 'none.proto'],
    ['no service', { service: 'shop.Things' }, 'shop.Things'],
    ['no method', { method: 'toString' }, 'has no method "toString"'],
    ['a stream of requests', { method: 'Feed' }, 'takes a stream of requests'],
    ['no field', { fields: { id: 'nothing' } }, 'has no field "nothing"'],
    ['a parameter without a field', { fields: {} }, 'has no field "id"'],
  ])('finds %s', async (_what, rules, reason) => {
    const at = await rig.folder();
    await writeFile(join(at, 'items.proto'), PROTO);
    const urls = { legacy: 'http://127.0.0.1:1', service: 'http://127.0.0.1:2' };
    const plan = planOf({ at, ...urls, routes: [{ ...GET, grpc: { ...GET.grpc, ...rules } }] });
    expect(await checkGrpc(plan)).toEqual([
      expect.objectContaining({
        code: 'GRPC_INVALID',
        path: 'migrations.catalog.routes[0].grpc',
        message: expect.stringContaining(reason),
      }),
    ]);
  });
});
