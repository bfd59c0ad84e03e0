import { noFeatures, shareIn, withFlags, withShare } from './features.js';
import type { FlagWriter } from './flag-writer.js';

/** Flags in memory, for tests. */
export function fakeFlagWriter(features = noFeatures()): FlagWriter {
  let held = features;
  return {
    share: async (flag) => shareIn(held, flag),
    setShare: async (flag, share) => void (held = withShare(held, flag, share)),
    ensure: async (flags) => void (held = withFlags(held, flags)),
  };
}
