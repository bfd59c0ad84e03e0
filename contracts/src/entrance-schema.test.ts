import { describe, expect, it } from '@jest/globals';
import { parseCidr } from './entrance-schema.js';
import { parsePlan } from './load-plan.js';

const parse = (proxy: string) =>
  parsePlan(
    `version: 1\nproxy: { listen: 8080, ${proxy} }\nupstreams: { legacy: "http://127.0.0.1:3000" }`,
    'plan.yaml',
    {},
  );

describe('the keys of the way in', () => {
  it('need not be there', () => {
    expect(parse('')).toMatchObject({ ok: true, plan: { proxy: { forwarded: 'x-forwarded' } } });
  });

  it('are taken as they stand, with defaults', () => {
    const loaded = parse(
      `tls: { listen: 8443, cert: a.pem, key: b.pem }, trusted: [10.0.0.0/8, "::1"], forwarded: both, via: edge,
       tracing: { otlp: "http://127.0.0.1:4318/v1/traces" }, accessLog: { file: access.log }`,
    );
    expect(loaded).toMatchObject({
      ok: true,
      plan: {
        proxy: {
          tls: { listen: { host: '127.0.0.1', port: 8443 }, minVersion: 'TLSv1.2', alpn: ['h2', 'http/1.1'] },
          tracing: { ratio: 0.01, service: 'strangler-proxy' },
          accessLog: { file: 'access.log', address: 'masked' },
        },
      },
    });
  });

  it('are told all at once when they are wrong, with what to write', () => {
    const loaded = parse(
      `tls: { listen: 8443, cert: a.pem, key: b.pem, minVersion: TLSv1 }, trusted: [10.0.0.0/33, everybody], via: "a b",
       tracing: { otlp: collector, ratio: 2 }`,
    );
    expect(loaded.ok ? [] : loaded.problems.map(({ path }) => path).toSorted()).toEqual([
      'proxy.tls.minVersion',
      'proxy.tracing.otlp',
      'proxy.tracing.ratio',
      'proxy.trusted[0]',
      'proxy.trusted[1]',
      'proxy.via',
    ]);
    for (const { remedy } of loaded.ok ? [] : loaded.problems) expect(remedy).not.toBe('');
  });
});

describe('a range of addresses', () => {
  it.each([
    ['10.0.0.0/8', { address: '10.0.0.0', family: 'ipv4', prefix: 8 }],
    ['192.0.2.7', { address: '192.0.2.7', family: 'ipv4', prefix: 32 }],
    ['2001:db8::/32', { address: '2001:db8::', family: 'ipv6', prefix: 32 }],
    ['::1', { address: '::1', family: 'ipv6', prefix: 128 }],
    ['10.0.0.0/', undefined],
    ['10.0.0/8', undefined],
    ['::/129', undefined],
    ['', undefined],
  ])('%s', (text, range) => {
    expect(parseCidr(text)).toEqual(range);
  });
});
