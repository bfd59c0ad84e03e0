import { describe, expect, it } from '@jest/globals';
import { transformSchema } from '@strangler/contracts';
import { editJson } from './edit-json.js';

const edited = (text: string, json: Record<string, unknown>) =>
  editJson(text, transformSchema.parse({ request: { json } }).request.json as never);

describe('edits of JSON', () => {
  it('move, then rename, then drop, then set constants', () => {
    const text = '{"id":1,"meta":{"total":2,"secret":3},"items":[{"p":1,"x":0},{"p":2}],"gone":true}';
    const result = edited(text, {
      move: { '/meta/total': '/page/count' },
      rename: { '/items/*/p': 'price' },
      drop: ['/meta/secret', '/gone', '/items/*/x'],
      constant: { '/items/*/currency': 'EUR', '/version': 2 },
    });
    expect(JSON.parse(result)).toEqual({
      id: 1,
      meta: {},
      page: { count: 2 },
      items: [
        { price: 1, currency: 'EUR' },
        { price: 2, currency: 'EUR' },
      ],
      version: 2,
    });
  });

  it('keep every number as it was written', () => {
    const text = '{"a":1.10,"b":12345678901234567890,"c":1e400,"d":-0,"e":7}';
    expect(edited(text, { constant: { '/f': 1 } })).toBe(`${text.slice(0, -1)},"f":1}`);
  });

  it.each([
    [
      'a place that is not there',
      { rename: { '/no/such': 'x' }, drop: ['/no', '/a/9'], move: { '/q': '/r' } },
    ],
    ['a move through something that is no object', { move: { '/b': '/c/x/y' } }],
    ['a constant in an array that ends before', { constant: { '/a/5': 1 } }],
  ])('leave alone what they do not find: %s', (_what, json) => {
    const text = '{"a":[1,2],"b":3,"c":"text"}';
    expect(edited(text, json)).toBe(text);
  });

  it('drop all elements of an array, and one of it', () => {
    expect(edited('{"a":[1,2,3],"b":[1,2,3]}', { drop: ['/a/*', '/b/1'] })).toBe('{"a":[],"b":[1,3]}');
  });

  it('never reach what every object inherits', () => {
    const text = '{"__proto__":{"x":1},"constructor":{"y":2}}';
    expect(edited(text, { drop: ['/toString', '/*/x'], rename: { '/*/y': 'z' } })).toBe(
      '{"__proto__":{},"constructor":{"z":2}}',
    );
    expect(({} as Record<string, unknown>)['z']).toBeUndefined();
  });

  it('refuse what is no JSON', () => {
    expect(() => edited('{"a":', { drop: ['/a'] })).toThrow(SyntaxError);
  });
});
