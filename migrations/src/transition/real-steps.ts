import { setTimeout as delay } from 'node:timers/promises';
import { reasonOf } from '@strangler/contracts';
import type { StateFeed } from '../control/state-feed.js';
import type { Subscribers } from '../control/subscribers.js';
import type { EvidenceSource } from '../evidence/evidence.js';
import type { FlagWriter } from '../flags/flag-writer.js';
import { otherShares } from '../gates/each-proxy.js';
import { describeEvent } from '../ledger/describe-event.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Steps } from './steps.js';

const SETTLE_MS = 5_000;
const POLL_MS = 100;

export type World = {
  readonly ledger: Ledger;
  readonly flags: FlagWriter;
  readonly feed: StateFeed;
  readonly subscribers: Subscribers;
  readonly evidence: EvidenceSource;
};

/** Does what it says, for the migrations that move. */
export const realSteps = (migrations: readonly string[], world: World): Steps => ({
  async setShare(flag, share) {
    await world.flags.setShare(flag, share);
    return `set flag "${flag}" to ${share} %`;
  },
  async turnOff(flag) {
    try {
      await world.flags.setShare(flag, 0);
      return `turned flag "${flag}" off`;
    } catch (error) {
      return `could not turn flag "${flag}" off (${reasonOf(error)}): the phase decides, and it sends everyone to legacy`;
    }
  },
  async append(parts) {
    const stored = await world.ledger.appendTogether(parts);
    await world.feed.refresh();
    return `wrote to the ledger: ${stored.map(describeEvent).join('; ')}`;
  },
  async awaitSubscribers() {
    const { version } = await world.feed.refresh();
    const missing = await world.subscribers.acknowledgement(version, SETTLE_MS);
    const all = world.subscribers.live().length;
    if (missing.length > 0)
      return `waited ${SETTLE_MS / 1000} s, still without the new phase: ${missing.map((name) => `"${name}"`).join(', ')}; each follows as soon as it answers`;
    return all === 0
      ? 'no proxy or sync is connected: each takes the new phase when it starts'
      : `all ${all} subscribers have the new phase in force`;
  },
  async awaitShare(share) {
    const deadline = Date.now() + SETTLE_MS;
    for (;;) {
      const { proxy, proxies } = await world.evidence.gather();
      if (!proxy.ok) return `cannot tell whether the share is in force: ${proxy.reason}`;
      const others = migrations.flatMap((name) => otherShares(proxies, name, share));
      const all = proxies.length === 1 ? 'the proxy has' : `all ${proxies.length} proxies have`;
      if (others.length === 0) return `${all} put ${share} % in force`;
      if (others.every(({ configured }) => configured === null))
        return 'the flag has strategies of its own: the proxy cannot tell its share';
      if (Date.now() > deadline)
        return `waited ${SETTLE_MS / 1000} s, ${[...new Set(others.map(({ name, configured }) => `"${name}" still says ${configured} %`))].join(', ')}`;
      await delay(POLL_MS);
    }
  },
});
