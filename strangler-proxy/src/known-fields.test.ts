import { describe, expect, it } from '@jest/globals';
import type { Accepted } from './accept.js';
import { accept } from './accept.js';
import { identify, type Identity } from './identify.js';
import { clientOf, createKnownFields, type KnownFields } from './known-fields.js';
import { readPlainFields } from './plain-request.js';

const lines = (cookie: string) => `Host: shop.example\r\nCookie: ${cookie}\r\nX-Strangler-Tester: t\r\n`;
const identity = (source: object = {}) =>
  ({ secret: 'a secret of length', identity: source }) as unknown as Identity;
const headOf = (known: KnownFields) => ({
  method: 'GET',
  url: '/',
  remoteAddress: '10.0.0.1',
  encrypted: false,
  rawHeaders: known.rawHeaders,
});

/** Fields that have come often enough to be known. */
function knownOf(text: string, read = createKnownFields()): KnownFields {
  read(text);
  return read(text) as KnownFields;
}

describe('known fields', () => {
  it('are those that came twice, and say what they said at first', () => {
    const read = createKnownFields();
    const [first, second, third] = [read(lines('a=1')), read(lines('a=1')), read(lines('a=1'))];
    expect(first).toEqual(readPlainFields(lines('a=1')));
    expect(second).toMatchObject(first as object);
    expect(second).not.toBe(first);
    expect(third).toBe(second);
  });

  it('are the same to the last byte: what lies between the characters that are looked at first is not taken for them', () => {
    const read = createKnownFields();
    const known = knownOf(lines('a=1'), read);
    for (let at = 0; at < lines('a=1').length; at++) {
      const other = `${lines('a=1').slice(0, at)}z${lines('a=1').slice(at + 1)}`;
      const told = read(other);
      expect(told).not.toBe(known);
      expect(told?.rawHeaders).toEqual(readPlainFields(other)?.rawHeaders);
    }
  });

  it('are accepted as they would be unknown', () => {
    const known = knownOf(lines('strangler_id=x; a=1'));
    const entrance = {
      via: undefined,
      newRequestId: () => '1',
      enter: () => ({
        clientAddress: '',
        isSecure: false,
        requestId: '1',
        traceId: undefined,
        span: undefined,
      }),
    };
    const head = headOf(known);
    expect(accept({ ...head, sorted: known.sorted }, undefined, entrance)).toEqual(
      accept(head, undefined, entrance),
    );
  });

  it('are not written to by what is added on the way of one request', () => {
    const known = knownOf(lines('a=1'));
    const before = structuredClone(known.sorted);
    accept({ ...headOf(known), sorted: known.sorted });
    accept({ ...headOf(known), url: 'http://other.example/', sorted: known.sorted });
    expect(known.sorted).toEqual(before);
  });
});

describe('the client of known fields', () => {
  const acceptedOf = (known: KnownFields): Accepted =>
    accept({ ...headOf(known), sorted: known.sorted }) as Accepted;
  let ids = 0;
  const newId = () => `id-${ids++}`;
  const shown = (by: Identity): string =>
    /strangler_id=[^;]+/.exec(
      identify({ cookies: '', headers: [], isSecure: false }, by, newId).setCookie ?? '',
    )?.[0] ?? '';

  it('is remembered, and forgotten with the settings it was found by', () => {
    const [by, later] = [identity(), { ...identity(), secret: 'another secret' } as Identity];
    const known = knownOf(lines(shown(by)));
    const client = clientOf(known, acceptedOf(known), by, newId);
    expect(client.setCookie).toBeUndefined();
    expect(clientOf(known, acceptedOf(known), by, newId)).toBe(client);
    expect(clientOf(known, acceptedOf(known), later, newId).setCookie).toBeDefined();
    expect(clientOf(known, acceptedOf(known), by, newId)).toEqual(client);
  });

  it('is a new one each time while it has no id', () => {
    const known = knownOf(lines('a=1'));
    const [one, other] = [1, 2].map(() => clientOf(known, acceptedOf(known), identity(), newId));
    expect(one?.id).not.toBe(other?.id);
  });

  it('is asked for each time where a header tells it, which the proxy may write anew', () => {
    const by = identity({ tenant: { header: 'x-forwarded-for' } });
    const known = knownOf(lines(shown(by)));
    const from = (address: string) =>
      clientOf(
        known,
        accept({ ...headOf(known), remoteAddress: address, sorted: known.sorted }) as Accepted,
        by,
        newId,
      ).tenant;
    expect([from('10.0.0.1'), from('10.0.0.2')]).toEqual(['10.0.0.1', '10.0.0.2']);
  });
});
