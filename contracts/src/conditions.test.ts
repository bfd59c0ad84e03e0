import { describe, expect, it } from '@jest/globals';
import {
  closenessOf,
  conditionsCover,
  conditionsMeet,
  conditionsSchema,
  conditionsText,
} from './conditions.js';

const when = (given: unknown) => conditionsSchema.parse(given);

describe('conditions of a route', () => {
  it('are one sorted list, whatever order and spelling they were written in', () => {
    const conditions = when({
      query: { b: 'x', a: true },
      host: 'Shop.Example',
      header: { 'X-Beta': ['2', '1', '2'] },
    });
    expect(conditions).toEqual([
      { kind: 'header', name: 'x-beta', values: ['1', '2'] },
      { kind: 'host', name: '', values: ['shop.example'] },
      { kind: 'query', name: 'a', values: true },
      { kind: 'query', name: 'b', values: ['x'] },
    ]);
    expect(conditionsText(conditions)).toBe('header x-beta=1 or 2, host shop.example, query a, query b=x');
  });

  it('have a text that no value can forge', () => {
    expect(conditionsText(when({ cookie: { a: 'x, query b=y' } }))).toBe('cookie a="x, query b=y"');
  });

  it.each([
    ['a number', { header: { 'x-beta': 1 } }, 'is a number'],
    ['false', { header: { 'x-beta': false } }, 'is false'],
    ['an empty list', { query: { a: [] } }, ''],
    ['a control character', { cookie: { a: 'x\ny' } }, 'has a control character'],
    ['a URL for a host', { host: 'http://shop.example' }, 'is not a host name'],
    ['a port', { host: 'shop.example:80' }, 'is not a host name'],
    ['a star in the middle', { host: 'a.*.example' }, 'is not a host name'],
    ['the host as a header', { header: { Host: 'a' } }, 'is not a header to match on'],
    ['a header of one connection', { header: { Connection: true } }, 'is not a header to match on'],
    ['a header of the proxy', { header: { 'x-strangler-shadow': true } }, 'is not a header to match on'],
    ['a credential', { header: { authorization: 'Bearer x' } }, 'is a secret of somebody'],
    ['an unknown kind', { method: 'GET' }, ''],
  ])('cannot be %s', (_, given, message) => {
    const parsed = conditionsSchema.safeParse(given);
    expect(JSON.stringify(parsed.error?.issues)).toContain(message);
    expect(parsed.success).toBe(false);
  });

  it('can ask whether credentials are there', () => {
    expect(when({ header: { authorization: true } })).toHaveLength(1);
  });

  it.each([
    [{}, { header: { a: '1' } }, true],
    [{ header: { a: true } }, { header: { a: '1' } }, true],
    [{ header: { a: ['1', '2'] } }, { header: { a: '1' }, query: { b: true } }, true],
    [{ host: '*.example' }, { host: 'shop.example' }, true],
    [{ host: '*.example' }, { host: '*.shop.example' }, true],
    [{ host: '*.example' }, { host: 'example' }, false],
    [{ host: '*.example' }, { host: 'shopexample' }, false],
    [{ host: 'shop.example' }, { host: '*.example' }, false],
    [{ header: { a: '1' } }, { header: { a: true } }, false],
    [{ header: { a: '1' } }, { cookie: { a: '1' } }, false],
    [{ header: { a: '1' } }, {}, false],
  ])('%j covers %j: %s', (wide, narrow, covers) => {
    expect(conditionsCover(when(wide), when(narrow))).toBe(covers);
  });

  it.each([
    [{ header: { a: '1' } }, { header: { a: '2' } }, false],
    [{ header: { a: ['1', '2'] } }, { header: { a: ['2', '3'] } }, true],
    [{ header: { a: '1' } }, { header: { a: true } }, true],
    [{ header: { a: '1' } }, { header: { b: '2' } }, true],
    [{ host: '*.a.example' }, { host: '*.example' }, true],
    [{ host: '*.a.example' }, { host: '*.b.example' }, false],
    [{ host: 'a.example' }, { host: 'b.example' }, false],
    [{}, {}, true],
  ])('%j and %j can be fulfilled together: %s', (one, other, meet) => {
    expect(conditionsMeet(when(one), when(other))).toBe(meet);
    expect(conditionsMeet(when(other), when(one))).toBe(meet);
  });

  it('are the closer the more they are, and then the more of them name a value', () => {
    const rising = [
      {},
      { header: { a: true } },
      { header: { a: '1' } },
      { header: { a: true }, host: '*.example' },
      { header: { a: '1' }, host: '*.example' },
      { header: { a: '1' }, host: 'shop.example' },
    ].map((given) => closenessOf(when(given)));
    expect(rising).toEqual(rising.toSorted((a, b) => a - b));
    expect(new Set(rising).size).toBe(rising.length);
  });
});
