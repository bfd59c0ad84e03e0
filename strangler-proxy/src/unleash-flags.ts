import type { Logger } from 'pino';
import { Unleash, UnleashEvents, type UnleashConfig } from 'unleash-client';
import type { Flags } from './flags.js';
import { bucketOf, contextOf, StickyStrategy, stickTo } from './sticky-strategy.js';

type Repository = NonNullable<UnleashConfig['repository']>;

/** Unleash's own client over the definitions of a repository. */
export const unleashOver = (repository: Repository): Unleash =>
  new Unleash({
    repository,
    appName: 'strangler-proxy',
    // Demanded by the client, never asked: the repository is the only source.
    url: 'http://flags.invalid/api/',
    strategies: [new StickyStrategy()],
    disableMetrics: true,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
  });

/** Flags that Unleash's own client decides on the definitions of a repository. */
export function unleashFlags(repository: Repository, log: Logger): Flags {
  const unleash = unleashOver(repository);
  const warn = (problem: unknown) => log.warn(problem instanceof Error ? problem.message : String(problem));
  unleash.on(UnleashEvents.Warn, warn);
  unleash.on(UnleashEvents.Error, warn);
  return {
    ...flagsBy(unleash),
    start: () => unleash.start(),
    stop: () => unleash.destroy(),
  };
}

/** What an Unleash client says, whatever its definitions come from. */
export function flagsBy(unleash: Unleash): Omit<Flags, 'start' | 'stop'> {
  const gradualRollout = (flag: string) => {
    const feature = unleash.getFeatureToggleDefinition(flag);
    const strategies = feature?.strategies ?? [];
    const [only] = strategies;
    if (strategies.length !== 1 || only?.name !== 'flexibleRollout') return undefined;
    if ((only.constraints ?? []).length > 0 || (only.segments ?? []).length > 0) return undefined;
    return only.parameters as { rollout?: string; groupId?: string; stickiness?: string } | undefined;
  };
  const isEnabled = (flag: string) => unleash.getFeatureToggleDefinition(flag)?.enabled === true;

  return {
    isOn: (flag, client) => isEnabled(flag) && unleash.isEnabled(flag, contextOf(client), false),
    isEnabled,
    stickTo(flag, client) {
      const stickiness = gradualRollout(flag)?.stickiness || 'default';
      return stickiness === 'random' ? client.id : stickTo(stickiness, contextOf(client));
    },
    share(flag) {
      const feature = unleash.getFeatureToggleDefinition(flag);
      if (feature?.enabled !== true) return 0;
      if ((feature.strategies ?? []).length === 0) return 100;
      const rollout = Number(gradualRollout(flag)?.rollout ?? Number.NaN);
      return Number.isFinite(rollout) ? rollout : null;
    },
    bucket(flag, client) {
      const rollout = gradualRollout(flag);
      const stickiness = rollout?.stickiness || 'default';
      if (!rollout || !client || stickiness === 'random') return null;
      return bucketOf(rollout.groupId ?? '', stickTo(stickiness, contextOf(client)));
    },
    definition(flag) {
      const whole = unleash.getFeatureToggleDefinitions(true).find(({ name }) => name === flag);
      return JSON.stringify(whole ?? null);
    },
    onChange: (listener) => void unleash.on(UnleashEvents.Changed, listener),
  };
}
