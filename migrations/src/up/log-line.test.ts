import { describe, expect, it } from '@jest/globals';
import { logLine } from './log-line.js';

const at = Date.parse('2026-11-23T12:34:56.789Z');
const line = (entry: object) =>
  logLine('strangler-proxy', JSON.stringify({ level: 30, time: at, ...entry }), 0);

describe('a log line for a person', () => {
  it('has time, program, level, sentence and fields', () => {
    expect(
      line({ pid: 7, program: 'strangler-proxy', msg: 'took a state', version: 3, why: 'two words' }),
    ).toBe('12:34:56.789 proxy   info  took a state version=3 why="two words"');
  });
  it('shows the stack of an error below', () => {
    expect(line({ level: 50, msg: 'failed', err: { message: 'x', stack: 'Error: x\n    at y' } })).toBe(
      '12:34:56.789 proxy   ERROR failed\n    Error: x\n        at y',
    );
  });
  it.each(['plain text', '42', '[1]', '{broken'])('passes %j on as it is', (text) => {
    expect(logLine('strangler-sync', text, at)).toBe(`12:34:56.789 sync          ${text}`);
  });
});
