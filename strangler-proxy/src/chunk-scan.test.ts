import * as fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { createChunkScan } from './chunk-scan.js';

/** Scans the text in pieces of these lengths. */
function scan(text: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text, 'latin1');
  const chunks = createChunkScan();
  let [passed, data] = ['', ''];
  const trailers: string[] = [];
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (one, other) => one - other,
  );
  for (let index = 1; index < places.length; index++) {
    const end = chunks.scan(
      bytes,
      places[index - 1] as number,
      places[index] as number,
      (from, to) => (passed += bytes.toString('latin1', from, to)),
      (from, to) => (data += bytes.toString('latin1', from, to)),
      (taken) => {
        trailers.push(passed, ...taken);
      },
    );
    if (end !== 'more') return { end, passed, data, trailers };
  }
  return { end: 'more', passed, data, trailers };
}

describe('a chunked body', () => {
  it('passes as it came', () => {
    const text = '5\r\nhello\r\n00a\r\n0123456789\r\n0\r\n\r\n';
    expect(scan(`${text}rest`)).toEqual({
      end: text.length,
      passed: text,
      data: 'hello0123456789',
      trailers: [],
    });
  });

  it('passes without extensions, which belong to one connection', () => {
    const { passed, data } = scan('2;a="b"\r\nhi\r\n0;x\r\n\r\n');
    expect([passed, data]).toEqual(['2\r\nhi\r\n0\r\n\r\n', 'hi']);
  });

  it('gives its trailers to be looked at, where they have to stand', () => {
    const { passed, trailers } = scan('2\r\nhi\r\n0;x\r\nOne: 1 \r\nTwo:\r\n\r\n');
    expect(passed).toBe('2\r\nhi\r\n0\r\n\r\n');
    expect(trailers).toEqual(['2\r\nhi\r\n0\r\n', 'One', '1', 'Two', '']);
  });

  it('is the same wherever it is cut', () => {
    const text = '2;a=b\r\nhi\r\n10\r\n0123456789abcdef\r\n0;x\r\nTrailer: 1\r\n\r\n';
    fc.assert(
      fc.property(fc.array(fc.nat(100), { maxLength: 60 }), (cuts) => {
        expect(scan(text, cuts)).toEqual(scan(text));
      }),
    );
  });

  it.each([
    '\r\n',
    'zz\r\n',
    ' 2\r\nhi\r\n',
    '2 \r\nhi\r\n',
    '2\nhi\r\n',
    '2\r\nhiX\r\n',
    '2\r\nhi\nX',
    '-1\r\n',
    '0x2\r\nhi\r\n',
    '111111111\r\n',
    '0\r\n\rX',
    '0\r\nTrailer\n: 1\r\n\r\n',
    '2;\u0000\r\nhi\r\n',
    '0\r\nTrailer\r\n\r\n',
    '0\r\nContent-Length: 1\r\n\r\n',
    '0\r\n folded: 1\r\n\r\n',
  ])('that is %j is malformed', (text) => {
    expect(scan(text).end).toBe('malformed');
  });
});
