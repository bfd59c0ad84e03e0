import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Verification } from '@strangler/contracts';

/** What the process is told: URLs of databases. */
export type VerifyOrder = { readonly from: string; readonly to: string };
type Verified = {
  readonly kind: 'verified';
  readonly milliseconds: number;
  readonly verification: Verification;
};
type Ended = { readonly kind: 'ended'; readonly rssMiB: number };
export type VerifyTold =
  { readonly kind: 'copied' } | { readonly kind: 'failed'; readonly reason: string } | Verified | Ended;

export type Verifying = {
  /** Resolves when the table is copied. */
  readonly copied: Promise<unknown>;
  verify(): Promise<Verified>;
  /** Ends it and answers the memory it took at most. */
  stop(): Promise<number>;
};

/** Runs the flow and its verifications in a process of its own. */
export function startVerifying(order: VerifyOrder): Verifying {
  const child = fork(join(import.meta.dirname, 'verify-process.js'), [JSON.stringify(order)]);
  const watchers = new Set<(told: VerifyTold) => void>();
  const next = <Kind extends VerifyTold['kind']>(kind: Kind) =>
    new Promise<Extract<VerifyTold, { kind: Kind }>>((done, fail) => {
      watchers.add((told) => {
        if (told.kind === 'failed') fail(new Error(`the flow has failed: ${told.reason}`));
        if (told.kind === kind) done(told as Extract<VerifyTold, { kind: Kind }>);
      });
      child.once('exit', () => fail(new Error('the flow has ended')));
    });
  let ended: Ended | undefined;
  child.on('message', (told: VerifyTold) => {
    if (told.kind === 'ended') ended = told;
    for (const watch of watchers) watch(told);
  });
  const copied = next('copied');
  copied.catch(() => {});
  return {
    copied,
    verify() {
      const verified = next('verified');
      child.send('verify');
      return verified;
    },
    async stop() {
      if (child.exitCode === null) {
        const gone = once(child, 'exit');
        child.send('end');
        await gone;
      }
      if (!ended) throw new Error('the flow has ended without a word');
      return ended.rssMiB;
    },
  };
}
