import { describe, expect, it } from '@jest/globals';
import { printJson } from './print-json.js';

const printed = (hex: string) => printJson(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

/** Every form is also compared with what a MySQL server prints, by `npm run test:mysql` (decode.db.test.ts). */
describe('a document of MySQL', () => {
  it.each([
    ['', 'null'],
    ['04 00', 'null'],
    ['04 01', 'true'],
    ['05 ffff', '-1'],
    ['07 00000080', '-2147483648'],
    ['09 0000000000000080', '-9223372036854775808'],
    ['0a ffffffffffffffff', '18446744073709551615'],
    ['0b 000000000000f03f', '1.0'],
    ['0b 0000000000000080', '-0.0'],
    ['0b a0c8eb85f3cce17f', '1e308'],
    ['0c 03 61 22 0a', '"a\\"\\n"'],
    ['0c 8101 ' + '78'.repeat(129), `"${'x'.repeat(129)}"`],
    ['0f f6 04 04 02 8c 32', '12.50'],
    ['0f f6 04 04 02 73 cd', '-12.50'],
    ['0f f6 03 01 01 85', '0.5'],
    ['0f fd 02 00ff', '"base64:type253:AP8="'],
    ['0f 0a 08 000000 0000bab219', '"2024-02-29"'],
    ['02 0200 0c00 05 0100 04 0200', '[1, false]'],
    ['00 0100 1000 0b00 0200 05 0700 3130', '{"10": 7}'],
  ])('%s is %s', (hex, text) => {
    expect(printed(hex)).toBe(text);
  });

  it('of another kind is refused', () => {
    expect(() => printed('0e 00')).toThrow('unknown type 14');
  });
});
