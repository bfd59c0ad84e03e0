import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { type AccessLine, createAccessLog } from './access-log.js';

const base = { program: 'strangler-proxy', pid: 7 };
const line: AccessLine = {
  method: 'GET',
  target: '/items/1?page=2&token=secret',
  route: 'GET /items/*',
  upstream: 'catalog',
  shadow: false,
  client: 'user',
  by: 'service',
  status: 200,
  seconds: 0.001_234_567,
};
const written = (given: AccessLine, reason: string, how: 'pino' | 'ready') => {
  const lines: string[] = [];
  const write = (text: string) => void lines.push(text);
  const log = pino({ name: 'strangler-proxy', level: 'debug', base }, { write });
  const access = createAccessLog(
    log,
    how === 'ready' ? { base: { ...base, name: 'strangler-proxy' }, write } : undefined,
  );
  expect(access.isOn()).toBe(true);
  access.write(given, reason);
  access.flush();
  expect(lines.join('')).toMatch(/\n$/);
  const { time, ...rest } = JSON.parse(lines.join('')) as { time: number };
  expect(time).toBeGreaterThan(1_700_000_000_000);
  return rest;
};

describe('a line of the access log', () => {
  it.each([
    ['a diverted read', line],
    ['a request of nobody that got no answer', { ...line, client: undefined, status: null }],
    ['a target that is no JSON', { ...line, target: '/"\\\u0001\u007f\u00e9?q="', route: 'other' }],
  ])('has the fields pino would write, of %s', (_what, given) => {
    const reason = 'flag "strangler.catalog" is on for this client';
    const ready = written(given, reason, 'ready');
    expect(ready).toEqual({ ...written(given, reason, 'pino'), seconds: 0.001_235 });
    expect(JSON.stringify(ready)).not.toContain('secret');
  });

  it('waits for others, and not for ever', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'debug' }, { write: () => {} });
    const access = createAccessLog(log, { base, write: (text) => void lines.push(text) });
    for (let count = 0; count < 64; count++) access.write(line, 'x');
    expect(lines).toHaveLength(1);
    access.write(line, 'x');
    expect(lines).toHaveLength(1);
    await new Promise((done) => setTimeout(done, 200));
    expect(lines).toHaveLength(2);
  });
});
