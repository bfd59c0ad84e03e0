import { describe, expect, it } from '@jest/globals';
import { parsePlan } from './load-plan.js';
import { problemLine } from './problem.js';

const parsed = (upstream: string, environment: Record<string, string> = {}) =>
  parsePlan(
    `version: 1\nproxy: { listen: 8080 }\nupstreams:\n  legacy: http://127.0.0.1:3000\n  catalog: ${upstream}\n`,
    'plan.yaml',
    environment,
  );
const upstreamOf = (upstream: string, environment?: Record<string, string>) => {
  const loaded = parsed(upstream, environment);
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join('\n'));
  return loaded.plan.upstreams['catalog'];
};
const problemsOf = (upstream: string) => {
  const loaded = parsed(upstream);
  return loaded.ok ? [] : loaded.problems.map(problemLine);
};

describe('an upstream of a plan', () => {
  it('is the same, written as a URL, with one and with a list of one', () => {
    const plain = upstreamOf('http://a:1');
    expect(plain).toMatchObject({
      url: 'http://a:1',
      urls: ['http://a:1'],
      host: 'client',
      balance: 'least-pending',
      timeouts: { connectMs: 5_000, headMs: 30_000, idleMs: 300_000, bodyMs: 0 },
      dns: { refreshMs: 5_000 },
      breaker: { failures: 5, ratio: 0.5, minRequests: 20, windowMs: 10_000, openMs: 5_000, halfOpen: 1 },
      retries: { perRequest: 1, budgetRatio: 0.2, budgetPerSecond: 10 },
    });
    expect(upstreamOf('{ url: http://a:1 }')).toEqual(plain);
    expect(upstreamOf('{ urls: [http://a:1] }')).toEqual(plain);
  });

  it('takes short forms: a health path, timeoutMs, no breaker', () => {
    expect(upstreamOf('{ url: http://a:1, health: /health, timeoutMs: 7, breaker: false }')).toMatchObject({
      health: { path: '/health', intervalMs: 1_000, timeoutMs: 1_000, unhealthyAfter: 2, healthyAfter: 2 },
      timeouts: { headMs: 7 },
      breaker: false,
    });
    expect(upstreamOf('{ url: http://a:1, timeouts: { headMs: 7 } }')?.timeouts.headMs).toBe(7);
  });

  it('takes any of it from the environment', () => {
    const environment = { CATALOG_A: 'https://a', CA_FILE: '/etc/ca.pem' };
    expect(upstreamOf('{ urls: [!env CATALOG_A], tls: { ca: !env CA_FILE } }', environment)).toMatchObject({
      urls: ['https://a'],
      tls: { ca: '/etc/ca.pem', insecure: false },
    });
  });

  it.each([
    ['no URL', '{ health: /h }', /upstreams\.catalog .*has no url/],
    ['both forms', '{ url: http://a:1, urls: [http://b:1] }', /has both "url" and "urls"/],
    ['an empty list', '{ urls: [] }', /urls/],
    ['one twice', '{ urls: [http://a:1, "http://a:1/"] }', /urls\[1\] .*is there twice/],
    ['a path in one', '{ urls: [http://a:1/api] }', /is not the base URL/],
    [
      'two times for the head',
      '{ url: http://a:1, timeoutMs: 1, timeouts: { headMs: 1 } }',
      /timeoutMs .*is also in/,
    ],
    [
      'TLS for plain HTTP',
      '{ url: http://a:1, tls: { insecure: true } }',
      /tls .*is for upstreams with "https:"/,
    ],
    [
      'a certificate without its key',
      '{ url: https://a, tls: { cert: a.pem } }',
      /has a "cert" and no "key"/,
    ],
    ['a key without its certificate', '{ url: https://a, tls: { key: a.pem } }', /has a "key" and no "cert"/],
    ['the key itself', '{ url: https://a, tls: { key: "-----BEGIN KEY" } }', /is not the name of a file/],
    ['a share above 1', '{ url: http://a:1, breaker: { ratio: 50 } }', /breaker/],
    ['a time no timer can hold', '{ url: http://a:1, timeouts: { headMs: 3000000000 } }', /headMs/],
    ['what it does not know', '{ url: http://a:1, timeouts: { readMs: 1 } }', /readMs .*is not a key/],
  ])('is refused with %s', (_, upstream, sentence) => {
    expect(problemsOf(upstream).join('\n')).toMatch(sentence);
  });

  it('tells all its problems at once', () => {
    expect(problemsOf('{ urls: [http://a:1, http://a:1], tls: { cert: a.pem } }')).toHaveLength(3);
  });
});
