import { StranglerError } from '@strangler/contracts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { accept, type Accepted } from './accept.js';
import { createEntrance, type EntrancePlan } from './entrance.js';
import { headerObject, valuesOf } from './headers.js';

const PROXY = '10.0.0.9';
const STRANGER = '203.0.113.5';

const take = (
  plan: Partial<EntrancePlan>,
  remoteAddress: string,
  headers: Record<string, string> = {},
  encrypted = false,
) => {
  let ids = 0;
  const randomHex = (bytes: number) => (++ids).toString(16).padStart(bytes * 2, '0');
  const head = {
    method: 'GET',
    url: '/a',
    rawHeaders: ['Host', 'shop.test', ...Object.entries(headers).flat()],
    remoteAddress,
    encrypted,
  };
  return accept(head, undefined, createEntrance({ forwarded: 'x-forwarded', ...plan }, { randomHex }));
};
const taken = (...args: Parameters<typeof take>): Accepted => {
  const accepted = take(...args);
  if (accepted instanceof StranglerError) throw accepted;
  return accepted;
};
const sent = (...args: Parameters<typeof take>) => headerObject(taken(...args).headers);

describe('the address of the client', () => {
  const trusted = ['10.0.0.0/8', '2001:db8:aaaa::/48'];

  it.each([
    ['is the peer that connected, when nobody stands in front', STRANGER, '6.6.6.6', STRANGER],
    ['is what a trusted proxy says', PROXY, STRANGER, STRANGER],
    [
      'is the rightmost one nobody vouches for, whatever the client wrote before it',
      PROXY,
      `6.6.6.6, ${STRANGER}, 10.1.1.1`,
      STRANGER,
    ],
    ['is the leftmost one when all are trusted', PROXY, '10.7.7.7, 10.1.1.1', '10.7.7.7'],
    ['is the trusted proxy itself when it names nobody', PROXY, '', PROXY],
    ['is the last one that can be read', PROXY, `${STRANGER}, unknown, 10.1.1.1`, '10.1.1.1'],
    ['is read without port', PROXY, `${STRANGER}:4711`, STRANGER],
    ['is read without brackets', PROXY, '[2001:db8::5]:4711', '2001:db8::5'],
    ['is an IPv4 address in whatever form', '::ffff:10.0.0.9', `::ffff:${STRANGER}`, STRANGER],
    ['is found behind a proxy with IPv6', '2001:db8:aaaa::1', STRANGER, STRANGER],
  ])('%s', (_what, peer, chain, client) => {
    expect(taken({ trusted }, peer, { 'X-Forwarded-For': chain }).clientAddress).toBe(client);
  });

  it('is never what an untrusted peer wrote, whatever it writes', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), (peer, chain) => {
        fc.pre(!peer.startsWith('10.'));
        const accepted = taken({ trusted }, peer, {
          'X-Forwarded-For': chain.join(',').replaceAll(/[^\x20-\x7e]/g, ''),
        });
        expect(accepted.clientAddress).toBe(peer);
        expect(headerObject(accepted.headers)['x-forwarded-for']).toBe(peer);
      }),
    );
  });
});

describe('forwarded headers', () => {
  const trusted = [PROXY];
  const claims = {
    'X-Forwarded-For': STRANGER,
    'X-Forwarded-Proto': 'HTTPS',
    'X-Forwarded-Host': 'public.test',
    'X-Forwarded-Port': '8443',
    'X-Real-Ip': STRANGER,
  };

  it('of a trusted peer are kept, and the peer is added to the chain', () => {
    expect(sent({ trusted }, PROXY, claims)).toMatchObject({
      host: 'shop.test',
      'x-forwarded-for': `${STRANGER}, ${PROXY}`,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.test',
      'x-forwarded-port': '8443',
      'x-real-ip': STRANGER,
    });
  });

  it('of anybody else give way to what the connection says', () => {
    const headers = sent({ trusted }, STRANGER, claims);
    expect(headers).toMatchObject({
      'x-forwarded-for': STRANGER,
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.test',
    });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-real-ip']));
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-forwarded-port']));
  });

  it('of a trusted peer are replaced where they make no sense', () => {
    expect(
      sent({ trusted }, PROXY, { 'X-Forwarded-Host': 'a"b', 'X-Forwarded-Proto': 'javascript' }),
    ).toMatchObject({ 'x-forwarded-host': 'shop.test', 'x-forwarded-proto': 'http' });
  });

  it.each([
    ['a neighbour', '192.168.1.2', undefined, true],
    ['a stranger', STRANGER, undefined, false],
    ['a neighbour that the list leaves out', '192.168.1.2', [PROXY], false],
    ['a peer of the list', PROXY, [PROXY], true],
  ])('say that the client came by https when %s does: %s, %j -> %s', (_who, peer, list, isSecure) => {
    const plan = list === undefined ? {} : { trusted: list };
    expect(taken(plan, peer, { 'X-Forwarded-Proto': 'https' }).isSecure).toBe(isSecure);
  });

  it('say https for a client that came by TLS to the proxy itself', () => {
    expect(sent({ trusted }, STRANGER, { 'X-Forwarded-Proto': 'http' }, true)['x-forwarded-proto']).toBe(
      'https',
    );
    expect(sent({ trusted }, PROXY, { 'X-Forwarded-Proto': 'http' }, true)['x-forwarded-proto']).toBe('http');
  });

  it('have the form of RFC 7239 where the plan wants it, made of the same chain and never of another Forwarded', () => {
    const said = { 'X-Forwarded-For': '2001:db8::5, hidden', Forwarded: 'for=6.6.6.6' };
    const headers = sent({ trusted, forwarded: 'forwarded' }, PROXY, said);
    expect(headers['forwarded']).toBe(
      'for="[2001:db8::5]", for=unknown, for=10.0.0.9;proto=http;host=shop.test',
    );
    expect(headers['x-forwarded-for']).toBeUndefined();
    expect(sent({ forwarded: 'both' }, STRANGER)).toMatchObject({
      forwarded: `for=${STRANGER};proto=http;host=shop.test`,
      'x-forwarded-for': STRANGER,
    });
  });
});

describe('Via', () => {
  it('is written where the plan names the proxy, behind the ones that are there', () => {
    expect(sent({ via: 'shop-edge' }, STRANGER, { Via: '1.1 cdn' })['via']).toBe('1.1 cdn, 1.1 shop-edge');
    expect(sent({}, STRANGER, { Via: '1.1 cdn' })['via']).toBe('1.1 cdn');
    expect(sent({}, STRANGER)['via']).toBeUndefined();
  });

  it.each(['1.1 shop-edge', '1.1 cdn, HTTP/1.1 shop-edge (x)', '2 shop-edge'])(
    'with the own name, as in "%s", refuses the request: it goes in a circle',
    (via) => {
      expect(take({ via: 'shop-edge' }, STRANGER, { Via: via })).toMatchObject({
        code: 'PROXY_LOOP',
        status: 508,
      });
      expect(take({ via: 'other' }, STRANGER, { Via: via })).not.toBeInstanceOf(StranglerError);
    },
  );
});

describe('the id of a request', () => {
  it('is made for strangers, and kept from a trusted peer that gives one sane id', () => {
    const given = { 'X-Request-Id': 'abc-123' };
    const made = '0'.repeat(31) + '1';
    expect(taken({ trusted: [PROXY] }, PROXY, given).requestId).toBe('abc-123');
    expect(sent({ trusted: [PROXY] }, PROXY, given)['x-request-id']).toBe('abc-123');
    expect(sent({ trusted: [PROXY] }, STRANGER, given)['x-request-id']).toBe(made);
    expect(sent({}, '127.0.0.1', given)['x-request-id']).toBe(made);
    for (const id of ['', 'a b', 'x'.repeat(129), '<script>'])
      expect(taken({ trusted: [PROXY] }, PROXY, { 'X-Request-Id': id }).requestId).toBe(made);
  });
});

describe('the trace of a request', () => {
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const tracing = { otlp: 'http://127.0.0.1:4318/v1/traces', ratio: 0, service: 'edge' };

  it('goes on untouched while the proxy keeps no spans, and is known to the access log', () => {
    const accepted = taken({}, STRANGER, { traceparent: parent, tracestate: 'a=1' });
    expect(headerObject(accepted.headers)).toMatchObject({ traceparent: parent, tracestate: 'a=1' });
    expect(accepted).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', span: undefined });
    expect(sent({}, STRANGER)['traceparent']).toBeUndefined();
  });

  it('is continued with a span of the proxy, as sampled as the caller had it', () => {
    for (const flags of ['00', '01']) {
      const accepted = taken({ tracing }, STRANGER, {
        traceparent: parent.replace(/01$/, flags),
        tracestate: 'a=1',
      });
      const [traceparent = ''] = valuesOf(accepted.headers, 'traceparent');
      expect(traceparent).toMatch(
        new RegExp(`^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad)[\\da-f]{16}-${flags}$`),
      );
      expect(valuesOf(accepted.headers, 'tracestate')).toEqual(['a=1']);
      expect(accepted.span?.parentId).toBe(flags === '01' ? 'b7ad6b7169203331' : undefined);
    }
  });

  it('begins anew where there is none, or none that is right; then its state does not go on', () => {
    const said: Record<string, string>[] = [{}, { traceparent: parent.toUpperCase(), tracestate: 'a=1' }];
    for (const wrong of said) {
      const accepted = taken({ tracing: { ...tracing, ratio: 1 } }, STRANGER, wrong);
      expect(headerObject(accepted.headers)['traceparent']).toMatch(/^00-0{31}[\da-f]-0{15}[\da-f]-01$/);
      expect(headerObject(accepted.headers)['tracestate']).toBeUndefined();
      expect(accepted.span).toMatchObject({ parentId: undefined });
    }
    expect(taken({ tracing }, STRANGER).span).toBeUndefined();
  });
});
