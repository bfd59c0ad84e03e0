import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { array, assert, asyncProperty, constantFrom, nat } from 'fast-check';
import { replaceIn, replaceOrigins } from './replace-origins.js';

const ORIGINS = ['http://catalog:3001', 'http://catalog'];
const PUBLIC = 'https://shop.example';

async function streamed(chunks: readonly string[]): Promise<string> {
  const result: Buffer[] = [];
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk, 'latin1')));
  for await (const chunk of source.pipe(replaceOrigins(ORIGINS, PUBLIC))) result.push(chunk as Buffer);
  return Buffer.concat(result).toString('latin1');
}

describe('origins in a text', () => {
  it.each([
    ['<a href="http://catalog:3001/x">', '<a href="https://shop.example/x">'],
    ['"http:\\/\\/catalog:3001\\/x"', '"https:\\/\\/shop.example\\/x"'],
    ['url(HTTP://Catalog/a.png) http://catalog', 'url(https://shop.example/a.png) https://shop.example'],
  ])('are replaced: %s', (text, result) => expect(replaceIn(text, ORIGINS, PUBLIC)).toBe(result));

  it.each([
    'http://catalog.evil.test/',
    'http://catalogue/',
    'http://catalog:3002/',
    'http://catalog@evil.test/',
    'http://catalog-2/',
    'https://catalog/',
    'http://catalog%2e/',
  ])('are not found at the beginning of another one: %s', (text) =>
    expect(replaceIn(text, ORIGINS, PUBLIC)).toBe(text),
  );

  it('are found wherever a body is cut, and nothing else changes', async () => {
    const piece = constantFrom(
      'http://catalog',
      'http://catalog:3001',
      'http:\\/\\/catalog',
      ':3001',
      'http',
      '://',
      '/x',
      '.',
      '"',
      'é',
      'cat',
    );
    await assert(
      asyncProperty(array(piece, { maxLength: 12 }), array(nat(20)), async (pieces, cuts) => {
        const text = pieces.join('');
        const chunks: string[] = [];
        let from = 0;
        for (const cut of cuts) {
          chunks.push(text.slice(from, from + cut));
          from += cut;
        }
        chunks.push(text.slice(from));
        expect(await streamed(chunks)).toBe(replaceIn(text, ORIGINS, PUBLIC));
      }),
    );
  });

  it('keep back only what can still become one', () => {
    const stream = replaceOrigins(ORIGINS, PUBLIC);
    stream.write('data: a\n\n');
    expect(String(stream.read())).toBe('data: a\n\n');
    stream.write('data: http://cat');
    expect(String(stream.read())).toBe('data: ');
    stream.write('alog/\n\n');
    expect(String(stream.read())).toBe('https://shop.example/\n\n');
  });
});
