import { expect, it } from '@jest/globals';
import type { WatermarkSource } from './watermark-source.js';

export type OpenedSource = {
  readonly source: WatermarkSource;
  /** Moves the watermark of "catalog". */
  readonly move: (appliedUntil: number) => void;
};

/** What every source of watermarks promises. `open` gives one that nobody has moved yet. */
export function watermarkSourceConformance(open: () => Promise<OpenedSource>): void {
  const ever = new AbortController().signal;

  it('answers the first question at once, with times of its one clock in their order', async () => {
    const { source, move } = await open();
    move(500);
    const first = await source.ask(0, ever);
    expect(first.migrations['catalog']).toEqual({ appliedUntil: 500 });
    expect(first.answeredAt).toBeGreaterThanOrEqual(first.askedAt);
    const second = await source.ask(0, ever);
    expect(second.clock).toBe(first.clock);
    expect(second.askedAt).toBeGreaterThanOrEqual(first.answeredAt);
  });

  it('keeps a question until a watermark moves, and answers with where it is then', async () => {
    const { source, move } = await open();
    move(500);
    const { sequence } = await source.ask(0, ever);
    const waiting = source.ask(sequence, ever);
    const early = await Promise.race([waiting, source.ask(0, ever).then(() => 'still waiting')]);
    expect(early).toBe('still waiting');
    move(900);
    const next = await waiting;
    expect(next.migrations['catalog']).toEqual({ appliedUntil: 900 });
    expect(next.sequence).toBeGreaterThan(sequence);
  });

  it('answers a question about what has moved already at once', async () => {
    const { source, move } = await open();
    const { sequence } = await source.ask(0, ever);
    move(500);
    expect((await source.ask(sequence, ever)).migrations['catalog']).toEqual({ appliedUntil: 500 });
  });

  it('rejects a question whose asker leaves', async () => {
    const { source } = await open();
    const { sequence } = await source.ask(0, ever);
    const leaving = new AbortController();
    const waiting = source.ask(sequence, leaving.signal);
    leaving.abort(new Error('left'));
    await expect(waiting).rejects.toBeTruthy();
  });
}
