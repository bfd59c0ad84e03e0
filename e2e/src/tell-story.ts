import { CHAPTERS } from './chapters/index.js';
import { ClaimFailed, type Story, type Summary } from './story.js';
import { startTraffic } from './traffic.js';
import type { World } from './world.js';
import { seeded } from './seeded.js';

export type Teller = {
  readonly chapter: (title: string, number: number, of: number) => void;
  readonly say: (sentence: string) => void;
  readonly claim: (sentence: string, holds: boolean) => void;
  readonly progress: (done: number, total: number, what: string) => void;
};

/** Plays all chapters under traffic. Throws ClaimFailed at the first claim that does not hold. */
export async function tellStory(
  world: World,
  teller: Teller,
  options: { readonly customers: number; readonly seed?: number; readonly atOnceMs?: number },
): Promise<Summary> {
  const random = seeded(options.seed ?? 20_261);
  const traffic = await startTraffic({ base: world.urls.proxy, random, customers: options.customers });
  const story: Story = {
    world,
    traffic,
    measured: {
      mismatchesFound: 0,
      gateRefusals: 0,
      lagMsP99: Number.NaN,
      rowsVerified: 0,
      driftRows: 0,
      rollbackMs: Number.NaN,
      heldMs: [],
      report: '',
    },
    atOnceMs: options.atOnceMs ?? 1_000,
    say: teller.say,
    progress: teller.progress,
    claim(sentence, holds, detail) {
      teller.claim(sentence, holds);
      if (!holds) throw new ClaimFailed(detail === undefined ? sentence : `${sentence}: ${detail}`);
    },
  };
  try {
    for (const [index, chapter] of CHAPTERS.entries()) {
      teller.chapter(chapter.title, index + 1, CHAPTERS.length);
      await chapter.run(story);
    }
  } finally {
    await traffic.stop();
  }
  const { requests, failed } = traffic.report();
  return { requests, failed, ...story.measured };
}
