import murmurhash from 'murmurhash3js';
import type { Logger } from 'pino';
import { Unleash, UnleashEvents, type UnleashConfig } from 'unleash-client';
import type { Flags } from './flags.js';
import type { Client } from './identify.js';

type Repository = NonNullable<UnleashConfig['repository']>;

/** Flags that Unleash's own client decides on the definitions of a repository. */
export function unleashFlags(repository: Repository, log: Logger): Flags {
  const unleash = new Unleash({
    repository,
    appName: 'strangler-proxy',
    // Demanded by the client, never asked: the repository is the only source.
    url: 'http://flags.invalid/api/',
    disableMetrics: true,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });
  const warn = (problem: unknown) => log.warn(problem instanceof Error ? problem.message : String(problem));
  unleash.on(UnleashEvents.Warn, warn);
  unleash.on(UnleashEvents.Error, warn);

  const gradualRollout = (flag: string) => {
    const feature = repository.getToggle(flag);
    const strategies = feature?.strategies ?? [];
    const [only] = strategies;
    if (strategies.length !== 1 || only?.name !== 'flexibleRollout') return undefined;
    if ((only.constraints ?? []).length > 0 || (only.segments ?? []).length > 0) return undefined;
    return only.parameters as { rollout?: string; groupId?: string; stickiness?: string } | undefined;
  };

  return {
    isOn: (flag, client) => unleash.isEnabled(flag, contextOf(client), false),
    share(flag) {
      const feature = repository.getToggle(flag);
      if (feature?.enabled !== true) return 0;
      if ((feature.strategies ?? []).length === 0) return 100;
      const rollout = Number(gradualRollout(flag)?.rollout ?? Number.NaN);
      return Number.isFinite(rollout) ? rollout : null;
    },
    bucket(flag, client) {
      const rollout = gradualRollout(flag);
      if (!rollout || !client || (rollout.stickiness ?? 'default') !== 'default') return null;
      // docs.getunleash.io, "Stickiness": murmur3 (x86, 32 bit) of "groupId:id", modulo 100, counted from 1.
      return (murmurhash.x86.hash32(`${rollout.groupId || flag}:${client.id}`, 0) % 100) + 1;
    },
    definition(flag) {
      const feature = repository.getToggle(flag);
      const segments = (feature?.strategies ?? []).flatMap(({ segments: ids }) => ids ?? []);
      return JSON.stringify([feature ?? null, segments.map((id) => repository.getSegment(id))]);
    },
    onChange: (listener) => void repository.on(UnleashEvents.Changed, listener),
    start: () => unleash.start(),
    stop: () => unleash.destroy(),
  };
}

const contextOf = (client: Client) =>
  client.kind === 'user' ? { userId: client.id } : { sessionId: client.id };
