import { describe, expect, it } from '@jest/globals';
import { compileRule, toMinorUnits } from './map-rules.js';
import { seeded } from './testing/databases.js';

describe('minor units', () => {
  it.each([
    ['12.90', 2, '1290'],
    ['12.9', 2, '1290'],
    ['12', 2, '1200'],
    ['-0.05', 2, '-5'],
    ['-0.00', 2, '0'],
    ['0.0100', 2, '1'],
    ['12345678901234567890123456789012345.67', 2, '1234567890123456789012345678901234567'],
    ['7', 0, '7'],
    ['7.000', 0, '7'],
    ['1.234', 3, '1234'],
  ])('%s with %d digits is %s', (text, digits, minor) => {
    expect(toMinorUnits(text, digits)).toEqual({ ok: true, value: minor });
  });

  it.each([
    ['0.001', 2],
    ['-12.345', 2],
    ['0.5', 0],
  ])('%s does not fit %d digits and is said to', (text, digits) => {
    expect(toMinorUnits(text, digits)).toEqual({
      ok: false,
      reason: expect.stringContaining(`more than ${digits} decimal places`),
    });
  });

  it.each(['', 'twelve', '1e5', '1,5', ' 1'])('"%s" is no number', (text) => {
    expect(toMinorUnits(text, 2).ok).toBe(false);
  });

  it('keeps every digit of any amount', () => {
    const random = seeded(7);
    for (let round = 0; round < 2_000; round++) {
      const digits = Math.floor(random() * 5);
      const minor = BigInt(Math.floor((random() - 0.5) * 2 ** 52)) * BigInt(Math.floor(random() * 1e9) + 1);
      const absolute = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
      const whole = absolute.slice(0, absolute.length - digits);
      const text = `${minor < 0n ? '-' : ''}${whole}${digits === 0 ? '' : `.${absolute.slice(-digits)}`}`;
      expect(toMinorUnits(text, digits)).toEqual({ ok: true, value: String(minor) });
    }
  });
});

describe('the other rules', () => {
  it('a bare name copies the value as it is', () => {
    const bytes = Buffer.from([0, 255]);
    expect(compileRule('name').map(bytes)).toEqual({ ok: true, value: bytes });
    expect(compileRule('name').map(null)).toEqual({ ok: true, value: null });
  });

  it('an enum maps what the plan names and nothing else', () => {
    const { map } = compileRule({ enum: 'status', values: { sold_out: 'sold-out', '': 'unknown' } });
    expect(map('sold_out')).toEqual({ ok: true, value: 'sold-out' });
    expect(map('')).toEqual({ ok: true, value: 'unknown' });
    expect(map(null)).toEqual({ ok: true, value: null });
    expect(map('gone')).toEqual({
      ok: false,
      reason: 'holds "gone", which "values" does not map: add it to the plan',
    });
    expect(map('constructor').ok).toBe(false);
  });

  it('a flag is 0 or 1, also from one bit, and NULL is what the plan says', () => {
    const { map } = compileRule({ flag: 'visible', whenNull: true });
    expect(
      [map('0'), map('1'), map(null), map(Buffer.from([1]))].map((mapped) => mapped.ok && mapped.value),
    ).toEqual(['0', '1', '1', '1']);
    expect(compileRule({ flag: 'visible', whenNull: false }).map(null)).toEqual({ ok: true, value: '0' });
    expect(map('2').ok).toBe(false);
    expect(map('-1').ok).toBe(false);
  });

  it.each([
    ['EUR', 'EUR'],
    [7, '7'],
    [true, '1'],
    [false, '0'],
    [null, null],
  ])('the constant %p is %p', (constant, value) => {
    expect(compileRule({ constant })).toMatchObject({ source: null });
    expect(compileRule({ constant }).map('ignored')).toEqual({ ok: true, value });
  });
});
