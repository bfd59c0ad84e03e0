import { beforeEach, describe, expect, it } from '@jest/globals';
import { Subscribers } from './subscribers.js';

let now = Date.parse('2026-11-23T12:00:00Z');
let subscribers: Subscribers;
beforeEach(() => {
  now = Date.parse('2026-11-23T12:00:00Z');
  subscribers = new Subscribers(() => now);
  subscribers.seen('proxy-a', 1, 'http://10.0.0.1:7070');
  subscribers.seen('sync', 1);
});
const names = () => subscribers.proxies().map(({ name }) => name);

describe('a proxy among the subscribers', () => {
  it('must answer for a minute after it hung up, and is not waited for', async () => {
    subscribers.gone('proxy-a');
    expect(names()).toEqual(['proxy-a']);
    expect(subscribers.live().map(({ name }) => name)).toEqual(['sync']);
    expect(await subscribers.acknowledgement(2, 1)).toEqual(['sync']);
    now += 60_001;
    expect(names()).toEqual([]);
  });

  it('is told as lost for an hour, until it comes back, and its counts are missing from then on', () => {
    expect(subscribers.lostAt()).toBeNull();
    now += 60_001;
    expect(subscribers.lost()).toEqual([{ name: 'proxy-a', at: '2026-11-23T12:00:00.000Z' }]);
    expect(subscribers.lostAt()).toBe('2026-11-23T12:01:00.001Z');
    subscribers.seen('proxy-a', 1, 'http://10.0.0.1:7070');
    expect(subscribers.lost()).toEqual([]);
    now += 60_001;
    expect(subscribers.lost()).toHaveLength(1);
    now += 3_600_000;
    expect(subscribers.lost()).toEqual([]);
  });

  it('is gone at once when it says farewell, whether or not it hangs up after that', () => {
    subscribers.left('proxy-a');
    subscribers.gone('proxy-a');
    expect(names()).toEqual([]);
    expect(subscribers.lost()).toEqual([]);
    expect(subscribers.lostAt()).toBe('2026-11-23T12:00:00.000Z');
  });

  it('is no other subscriber', () => {
    subscribers.left('sync');
    expect(subscribers.lostAt()).toBeNull();
    expect(names()).toEqual(['proxy-a']);
  });
});
