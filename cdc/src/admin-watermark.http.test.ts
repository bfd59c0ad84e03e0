import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { httpWatermarkSource, type WatermarkSource } from '@strangler/contracts';
import { pino } from 'pino';
import { startAdmin } from './admin.js';
import { type AppliedUntil, createAppliedUntil } from './applied-until.js';
import { flowClock } from './flow-clock.js';

const ever = new AbortController().signal;
let applied: AppliedUntil;
let admin: Awaited<ReturnType<typeof startAdmin>>;
let source: WatermarkSource;

const start = (token?: string) =>
  startAdmin({
    address: { host: '127.0.0.1', port: 0 },
    token,
    log: pino({ level: 'silent' }),
    evidence: () => {
      throw new Error('nobody asks for evidence here');
    },
    watermark: (after, signal) => applied.answer(after, signal),
    verifier: () => undefined,
    parking: () => undefined,
    recopy: () => undefined,
    conflicts: () => undefined,
    streams: () => undefined,
  });
beforeEach(async () => {
  applied = createAppliedUntil(flowClock(), ['catalog', 'search'], 200);
  admin = await start();
  source = httpWatermarkSource(admin.url);
});
afterEach(() => admin.stop());

describe('GET /watermark of the admin port', () => {
  it('tells every migration, and null of which nothing can be said', async () => {
    applied.move('catalog', 500);
    const answer = await source.ask(0, ever);
    expect(answer.migrations).toEqual({ catalog: { appliedUntil: 500 }, search: { appliedUntil: null } });
    expect(answer.answeredAt).toBeGreaterThanOrEqual(answer.askedAt);
  });

  it('waits until a watermark moves, which is never back', async () => {
    applied.move('catalog', 500);
    const { sequence } = await source.ask(0, ever);
    applied.move('catalog', 400);
    const waiting = source.ask(sequence, ever);
    expect(await Promise.race([waiting, source.ask(0, ever).then(() => 'still waiting')])).toBe(
      'still waiting',
    );
    applied.move('catalog', 900);
    expect((await waiting).migrations['catalog']).toEqual({ appliedUntil: 900 });
  });

  it('answers all the same when nothing moves for long', async () => {
    const { sequence } = await source.ask(0, ever);
    expect((await source.ask(sequence, ever)).sequence).toBe(sequence);
  });

  it('answers those who show the token, where there is one', async () => {
    const guarded = await start('the-token-of-the-sync');
    try {
      const ask = (token?: string) => httpWatermarkSource(guarded.url, token).ask(0, ever);
      expect((await ask('the-token-of-the-sync')).sequence).toBe(1);
      for (const token of [undefined, 'the-token-of-another'])
        await expect(ask(token)).rejects.toMatchObject({ code: 'SYNC_NOT_UNDERSTOOD' });
    } finally {
      await guarded.stop();
    }
  });

  it('answers at once to whoever asks about another process, and to nonsense', async () => {
    const [other, nonsense] = await Promise.all([
      source.ask(4_711, ever),
      fetch(`${admin.url}/watermark?after=x`),
    ]);
    expect([other.sequence, nonsense.status]).toEqual([1, 200]);
  });
});
