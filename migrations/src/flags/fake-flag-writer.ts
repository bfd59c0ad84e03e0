import { type Features, noFeatures, shareIn, withFlags, withoutFlag, withShare } from './features.js';
import type { FlagWriter } from './flag-writer.js';

/** Flags in memory, for tests; `features` shows what they are now. */
export function fakeFlagWriter(features = noFeatures()): FlagWriter & { features(): Features } {
  let held = features;
  return {
    features: () => held,
    share: async (flag) => shareIn(held, flag),
    maySet: async () => {},
    setShare: async (flag, share) => void (held = withShare(held, flag, share)),
    ensure: async (flags) => void (held = withFlags(held, flags)),
    remove: async (flag) => {
      held = withoutFlag(held, flag);
      return true;
    },
  };
}
