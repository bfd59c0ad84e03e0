import type { CompareRules } from '@strangler/contracts';
import { describe, expect, it } from '@jest/globals';
import { type Answer, compare } from './compare.js';

const rulesOf = (rules: Partial<CompareRules> = {}): CompareRules => ({
  ignore: [],
  unordered: [],
  redact: [],
  headers: ['content-type'],
  ...rules,
});
const json = (value: unknown, more: Partial<Answer> = {}): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  ...more,
});
const differ = (control: unknown, candidate: unknown, rules?: Partial<CompareRules>) =>
  compare(json(control), json(candidate), rulesOf(rules));

describe('comparing two answers', () => {
  it.each([
    ['the order of keys', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['blanks', '{"a": [1, 2]}', '{"a":[1,2]}'],
    ['how a number is written', '{"a":1.0,"b":1e2}', '{"a":1,"b":100}'],
    ['how a character is written', '{"a":"\\u00e9"}', '{"a":"é"}'],
  ])('sees no difference in %s', (_what, control, candidate) => {
    expect(differ(control, candidate)).toEqual([]);
  });

  it.each([
    ['a key that is gone', { a: 1 }, {}, { path: '/a', kind: 'missing', control: '1', candidate: 'nothing' }],
    ['a key that is new', {}, { a: 1 }, { path: '/a', kind: 'extra', control: 'nothing', candidate: '1' }],
    ['another type', { a: '1' }, { a: 1 }, { path: '/a', kind: 'type', control: '"1"', candidate: '1' }],
    [
      'null in place of a value',
      { a: 0 },
      { a: null },
      { path: '/a', kind: 'type', control: '0', candidate: 'null' },
    ],
    [
      'another value',
      { a: [{ b: 1.5 }] },
      { a: [{ b: 1.49 }] },
      { path: '/a/0/b', kind: 'value', control: '1.5', candidate: '1.49' },
    ],
    [
      'null and nothing',
      { a: null },
      {},
      { path: '/a', kind: 'missing', control: 'null', candidate: 'nothing' },
    ],
    ['the whole body', 1, [1], { path: '/', kind: 'type', control: '1', candidate: 'array of 1' }],
    [
      'a key with a slash',
      { 'a/b~c': 1 },
      { 'a/b~c': 2 },
      { path: '/a~1b~0c', kind: 'value', control: '1', candidate: '2' },
    ],
    [
      'a key every object inherits',
      { constructor: 1 },
      {},
      { path: '/constructor', kind: 'missing', control: '1', candidate: 'nothing' },
    ],
    [
      'integers beyond what a double holds',
      '{"a":9007199254740993}',
      '{"a":9007199254740992}',
      { path: '/a', kind: 'value', control: '9007199254740993', candidate: '9007199254740992' },
    ],
  ])('tells %s', (_what, control, candidate, difference) => {
    expect(differ(control, candidate)).toEqual([difference]);
  });

  it('tells the length of an array and what differs in the part both have', () => {
    expect(differ({ a: [1, 2, 3] }, { a: [1, 9] })).toEqual([
      { path: '/a', kind: 'length', control: 'array of 3', candidate: 'array of 2' },
      { path: '/a/1', kind: 'value', control: '2', candidate: '9' },
    ]);
  });

  it('leaves out what the rules ignore, with "*" for any name or index', () => {
    const rules = { ignore: ['/items/*/at', '/total'] };
    expect(differ({ items: [{ at: 1, b: 1 }], total: 1 }, { items: [{ at: 2, b: 1 }] }, rules)).toEqual([]);
    expect(differ({ items: [{ at: 1, b: 1 }] }, { items: [{ at: 2, b: 2 }] }, rules)).toMatchObject([
      { path: '/items/0/b' },
    ]);
  });

  it('takes the order out of arrays the rules call unordered, also with ignored and nested parts', () => {
    const rules = { ignore: ['/items/*/at'], unordered: ['/items', '/items/*/tags'] };
    const a = { id: 1, at: 1, tags: ['x', 'y'] };
    const b = { id: 2, at: 1, tags: [] };
    expect(
      differ(
        { items: [a, b] },
        {
          items: [
            { ...b, at: 9 },
            { ...a, tags: ['y', 'x'] },
          ],
        },
        rules,
      ),
    ).toEqual([]);
    expect(differ({ items: [a, a, b] }, { items: [a, b, b] }, rules)).toMatchObject([
      { path: '/items/0/id' },
      { path: '/items/0/tags', kind: 'length' },
    ]);
    expect(differ({ tags: [1, 2] }, { tags: [2, 1] }, rules)).toHaveLength(2);
  });

  it('tells status and the headers that are named, and no others', () => {
    const control = json(
      {},
      { status: 200, headers: { 'content-type': 'application/json', etag: '1', link: 'a' } },
    );
    const candidate = json({}, { status: 404, headers: { 'content-type': 'application/json', etag: '2' } });
    expect(compare(control, candidate, rulesOf({ headers: ['link', 'content-type'] }))).toEqual([
      { path: 'status', kind: 'value', control: '200', candidate: '404' },
      { path: 'header link', kind: 'missing', control: '"a"', candidate: 'nothing' },
    ]);
  });

  it('holds media types equal that differ in case and blanks only', () => {
    const control = json({}, { headers: { 'content-type': 'application/json;charset=UTF-8' } });
    expect(compare(control, json({}), rulesOf())).toEqual([]);
  });

  it('compares what is no JSON byte by byte and shows nothing of it', () => {
    const page = (text: string) => json(text, { headers: { 'content-type': 'text/html' } });
    expect(compare(page('<p>one'), page('<p>one'), rulesOf())).toEqual([]);
    expect(compare(page('<p>one'), page('<p>four'), rulesOf())).toEqual([
      {
        path: 'body',
        kind: 'value',
        control: '6 bytes, the first 3 the same',
        candidate: '7 bytes, the first 3 the same',
      },
    ]);
  });

  it('compares a body that only claims to be JSON byte by byte', () => {
    expect(differ('{"a":', '{"a":')).toEqual([]);
    expect(differ('{"a":', { a: 1 })).toMatchObject([{ path: 'body' }]);
  });

  it('tells at most twenty differences', () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    expect(
      differ(
        numbers,
        numbers.map((number) => number + 1),
      ),
    ).toHaveLength(20);
  });

  it('never shows secrets, by name anywhere on the way and by the rules', () => {
    const secret = 'hunter2';
    const control = { user: { email: secret, passwordHash: secret, tokens: [secret], name: secret } };
    const candidate = { user: { email: 'x', passwordHash: 'x', tokens: ['x'], name: 'x' } };
    const differences = differ(control, candidate, { redact: ['/user/name'] });
    expect(differences).toHaveLength(4);
    expect(JSON.stringify(differences)).not.toContain(secret);
    expect(differences.map(({ control: shown }) => shown)).toEqual(Array(4).fill('[redacted]'));
  });

  it('shows neither the inside of what is missing nor the end of what is long', () => {
    const differences = differ({ user: { email: 'a@b' }, text: 'x'.repeat(500) }, { text: 'y' });
    expect(differences[0]).toMatchObject({ path: '/user', control: 'object with 1 keys' });
    expect(differences[1]?.control).toHaveLength(80);
  });

  it('redacts headers by name', () => {
    const control = json({}, { headers: { 'content-type': 'application/json', 'set-cookie': 'sid=1' } });
    expect(compare(control, json({}), rulesOf({ headers: ['set-cookie'] }))).toEqual([
      { path: 'header set-cookie', kind: 'missing', control: '[redacted]', candidate: 'nothing' },
    ]);
  });
});
