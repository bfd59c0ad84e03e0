import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSpanQueue, type KeptSpan } from './open-tracing.js';
import { bodyOf, closedUrl, createRig, eventually, type MigrationSetup } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

type Span = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
};
type Sent = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
};
const KIND = { internal: 1, server: 2, client: 3 };

const attributesOf = ({ attributes }: Pick<Span, 'attributes'>): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** A collector that reads OTLP as JSON, and a proxy that sends it every span. */
async function setup(wanted: Partial<MigrationSetup> & Pick<MigrationSetup, 'phase'>, ratio = 1) {
  const spans: Span[] = [];
  const resources: Record<string, unknown>[] = [];
  const collector = await rig.server((request, response) => void collect(request, response));
  async function collect(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = JSON.parse((await bodyOf(request)).toString()) as Sent;
    for (const { resource, scopeSpans } of sent.resourceSpans) {
      resources.push(attributesOf(resource));
      spans.push(...scopeSpans.flatMap((scope) => scope.spans));
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }
  const asked: IncomingHttpHeaders[] = [];
  const upstream = await rig.server((request, response) => {
    asked.push(request.headers);
    response.end('{}');
  });
  const proxy = await rig.migration({
    legacy: upstream.url,
    service: upstream.url,
    share: 100,
    proxy: { tracing: { otlp: `${collector.url}/v1/traces`, ratio } },
    ...wanted,
  });
  const named = (name: string) => spans.filter((span) => span.name === name);
  return { ...proxy, spans, named, resources, asked, collector };
}

describe('a sampled request', () => {
  it('has a span of the proxy, one of its decision and one of its attempt, in one trace with the caller and the upstream', async () => {
    const { get, stop, spans, asked, resources, named } = await setup({ phase: 'canary' });
    await get('/items/7?token=secret&q=1', {
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1' },
    });
    await stop();
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ['GET /items/*', KIND.server],
      ['decide', KIND.internal],
      ['forward', KIND.client],
    ]);
    const [server, decide, forward] = spans as [Span, Span, Span];
    expect(server).toMatchObject({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      status: { code: 0 },
    });
    expect([decide.parentSpanId, forward.parentSpanId]).toEqual([server.spanId, server.spanId]);
    expect(asked[0]).toMatchObject({
      traceparent: `00-0af7651916cd43dd8448eb211c80319c-${forward.spanId}-01`,
      tracestate: 'a=1',
    });
    expect(attributesOf(server)).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/items/*',
      'http.response.status_code': 200,
      'url.path': '/items/7',
      'url.query': 'token=[redacted]&q=1',
      'strangler.by': 'service',
      'strangler.phase': 'canary',
      'strangler.request_id': asked[0]?.['x-request-id'],
    });
    expect(attributesOf(decide)).toMatchObject({
      'strangler.side': 'service',
      'strangler.reason': expect.stringContaining('flag "strangler.catalog" is on'),
    });
    expect(attributesOf(forward)).toMatchObject({
      'strangler.upstream': 'catalog',
      'server.address': '127.0.0.1',
    });
    expect(resources[0]).toMatchObject({ 'service.name': 'strangler-proxy' });
    expect(BigInt(server.startTimeUnixNano) <= BigInt(forward.startTimeUnixNano)).toBe(true);
    expect(BigInt(forward.endTimeUnixNano) <= BigInt(server.endTimeUnixNano)).toBe(true);
    expect(JSON.stringify(named('forward'))).not.toContain('secret');
  });

  it('that legacy answers for the service has a span for each attempt, and each upstream its own parent', async () => {
    const { get, stop, named, asked } = await setup({ phase: 'canary', service: await closedUrl() });
    await get('/items/7');
    await stop();
    const [failed, answered] = named('forward') as [Span, Span];
    expect(attributesOf(failed)).toMatchObject({
      'strangler.upstream': 'catalog',
      'error.type': 'PROXY_UPSTREAM_REFUSED',
    });
    expect(failed.status.code).toBe(2);
    expect(attributesOf(answered)).toMatchObject({
      'strangler.upstream': 'legacy',
      'http.response.status_code': 200,
    });
    expect(failed.spanId).not.toBe(answered.spanId);
    expect(asked[0]?.['traceparent']).toContain(`-${answered.spanId}-01`);
  });

  it('that is asked twice has a span of the shadow, which says so', async () => {
    const { get, stop, named, asked, evidence } = await setup({ phase: 'shadow' });
    await get('/items/7');
    await eventually(evidence, ({ migrations }) => migrations['catalog']?.routes[0]?.comparisons.match === 1);
    await stop();
    const [shadow] = named('shadow') as [Span];
    expect(attributesOf(shadow)).toMatchObject({ 'strangler.shadow': true, 'strangler.upstream': 'catalog' });
    expect(shadow.parentSpanId).toBe(named('GET /items/*')[0]?.spanId);
    expect(asked.find((headers) => headers['x-strangler-shadow'])?.['traceparent']).toContain(
      `-${shadow.spanId}-01`,
    );
  });
});

describe('a request that is not sampled', () => {
  it('keeps no spans, and the upstream is told so', async () => {
    const { get, stop, spans, asked } = await setup({ phase: 'canary' }, 0);
    await get('/items/7');
    await stop();
    expect(spans).toEqual([]);
    expect(asked[0]?.['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
  });
});

describe('a collector that is away', () => {
  it('costs the spans, which are counted, and no request', async () => {
    const { get, stop, admin, collector } = await setup({ phase: 'canary' });
    await collector.stop();
    for (let count = 0; count < 3; count++) expect((await get('/items/7')).status).toBe(200);
    const metrics = async () => (await fetch(`${admin}/metrics`)).text();
    // The exporter tries again for as long as its time goes.
    await eventually(metrics, (text) => /strangler_proxy_spans_dropped_total 9/.test(text), 15_000);
    await stop();
  });

  it('or slow fills the queue up to its bound, and what is over is dropped at once', async () => {
    let dropped = 0;
    const batches: number[] = [];
    let release: (taken: boolean) => void = () => {};
    const sink = {
      export: (spans: readonly KeptSpan[]) => {
        batches.push(spans.length);
        return new Promise<boolean>((done) => (release = done));
      },
      stop: async () => {},
    };
    const queue = createSpanQueue(sink, (count) => (dropped += count));
    for (let count = 0; count < 3_000; count++) queue.keep({} as KeptSpan);
    // The first 512 are on their way; 2,048 wait.
    expect([batches, dropped]).toEqual([[512], 3_000 - 512 - 2_048]);
    release(false);
    await eventually(
      () => batches.length,
      (count) => count === 2,
    );
    expect(dropped).toBe(3_000 - 2_048);
  });
});
