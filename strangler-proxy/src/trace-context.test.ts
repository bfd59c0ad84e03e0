import { describe, expect, it } from '@jest/globals';
import { continueTrace, parseTraceparent, parseTracestate } from './trace-context.js';
import { createRandomHex } from './random-hex.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it.each([
    [`00-${TRACE}-${PARENT}-01`, true],
    [`00-${TRACE}-${PARENT}-00`, false],
    [`00-${TRACE}-${PARENT}-03`, true],
    [`cc-${TRACE}-${PARENT}-01`, true],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-holds`, true],
  ])('is read: %s', (text, isSampled) => {
    expect(parseTraceparent([text])).toEqual({ traceId: TRACE, parentId: PARENT, isSampled });
  });

  it.each([
    ['in capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['of the forbidden version', `ff-${TRACE}-${PARENT}-01`],
    ['of version 00 with more', `00-${TRACE}-${PARENT}-01-x`],
    ['with more and no dash', `cc-${TRACE}-${PARENT}-01x`],
    ['without a trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['without a parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['that is too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['of other letters', `00-${TRACE.slice(1)}g-${PARENT}-01`],
  ])('is none %s', (_what, text) => {
    expect(parseTraceparent([text])).toBeUndefined();
  });

  it('is none when there are two', () => {
    const text = `00-${TRACE}-${PARENT}-01`;
    expect(parseTraceparent([text, text])).toBeUndefined();
  });
});

describe('a tracestate', () => {
  it.each([
    [['a=1,b=2'], 'a=1,b=2'],
    [['a=1', 'b=2'], 'a=1,b=2'],
    [[' a=1 , ,b=2'], 'a=1,b=2'],
    [['tenant@vendor=x y'], 'tenant@vendor=x y'],
  ])('keeps its members in order: %j', (values, kept) => {
    expect(parseTracestate(values)).toBe(kept);
  });

  it.each([
    ['twice the same member', ['a=1,a=2']],
    ['a member without value', ['a']],
    ['a capital', ['A=1']],
    ['a value with "="', ['a=b=c']],
    ['33 members', [Array.from({ length: 33 }, (_, index) => `a${index}=1`).join(',')]],
    ['nothing', ['']],
  ])('is none with %s', (_what, values) => {
    expect(parseTracestate(values)).toBeUndefined();
  });
});

describe('a trace that begins here', () => {
  it('is sampled in the share that the plan says, and by its id alone', () => {
    const randomHex = createRandomHex();
    const sampled = Array.from({ length: 4_000 }, () => continueTrace([], 0.25, randomHex)).filter(
      ({ span }) => span,
    );
    // Six deviations of a binomial spread.
    expect(Math.abs(sampled.length - 1_000)).toBeLessThan(165);
    expect(new Set(sampled.map(({ traceId }) => traceId)).size).toBe(sampled.length);
  });
});
