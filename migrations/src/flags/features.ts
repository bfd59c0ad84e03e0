import { z } from 'zod';

/** The parts of `GET /api/client/features` of Unleash that are read here. What is not named is kept as it is. */
const strategySchema = z.looseObject({
  name: z.string(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  constraints: z.array(z.unknown()).optional(),
  segments: z.array(z.unknown()).optional(),
});
const featureSchema = z.looseObject({
  name: z.string(),
  enabled: z.boolean(),
  strategies: z.array(strategySchema).optional(),
});
export const featuresSchema = z.looseObject({ features: z.array(featureSchema) });
export type Features = z.infer<typeof featuresSchema>;
type Feature = Features['features'][number];
type Strategy = z.infer<typeof strategySchema>;

/** A rollout over all clients: the dial. One with constraints or segments belongs to whoever wrote it. */
const isDial = (strategy: Strategy) =>
  strategy.name === 'flexibleRollout' &&
  (strategy.constraints ?? []).length === 0 &&
  (strategy.segments ?? []).length === 0;

const dial = (flag: string, share: number): Strategy => ({
  name: 'flexibleRollout',
  parameters: { rollout: String(share), stickiness: 'default', groupId: flag },
  constraints: [],
});

const newFeature = (flag: string, share: number): Feature => ({
  name: flag,
  type: 'release',
  enabled: share > 0,
  strategies: [dial(flag, share)],
});

export const noFeatures = (): Features => ({ version: 2, features: [], segments: [] });

export function shareIn(features: Features, flag: string): number | null {
  const feature = features.features.find(({ name }) => name === flag);
  if (!feature?.enabled) return 0;
  const [only, ...others] = feature.strategies ?? [];
  if (only === undefined || others.length > 0 || !isDial(only)) return null;
  const rollout = Number(only.parameters?.['rollout']);
  return Number.isFinite(rollout) ? rollout : null;
}

/** Strategies are alternatives to each other in Unleash, so a dial can be added beside what an operator wrote. */
export function withShare(features: Features, flag: string, share: number): Features {
  if (!features.features.some(({ name }) => name === flag))
    return { ...features, features: [...features.features, newFeature(flag, share)] };
  return {
    ...features,
    features: features.features.map((feature) => {
      if (feature.name !== flag) return feature;
      const strategies = feature.strategies ?? [];
      const turned = strategies.map((strategy) =>
        isDial(strategy)
          ? { ...strategy, parameters: { ...strategy.parameters, rollout: String(share) } }
          : strategy,
      );
      return {
        ...feature,
        enabled: share > 0,
        strategies: strategies.some(isDial) ? turned : [...strategies, dial(flag, share)],
      };
    }),
  };
}

export const withFlags = (features: Features, flags: readonly string[]): Features =>
  flags.reduce(
    (result, flag) =>
      result.features.some(({ name }) => name === flag) ? result : withShare(result, flag, 0),
    features,
  );

/** The features without one; the same value when it is not there. */
export const withoutFlag = (features: Features, flag: string): Features =>
  features.features.some(({ name }) => name === flag)
    ? { ...features, features: features.features.filter(({ name }) => name !== flag) }
    : features;
