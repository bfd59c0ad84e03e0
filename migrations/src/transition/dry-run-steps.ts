import { describeEvent } from '../ledger/describe-event.js';
import type { Steps } from './steps.js';

/** Says what would be done, and does nothing. */
export const dryRunSteps: Steps = {
  setShare: async (flag, share) => `would set flag "${flag}" to ${share} %`,
  turnOff: async (flag) => `would turn flag "${flag}" off`,
  append: async (parts) =>
    `would write to the ledger: ${parts
      .flatMap(({ migration, events }) =>
        events.map((event) => describeEvent({ ...event, id: 0, migration, sequence: 0, at: '' })),
      )
      .join('; ')}`,
  awaitSubscribers: async () => 'would wait until every proxy and sync has the new phase in force',
  awaitShare: async (share) => `would wait until the proxy has put ${share} % in force`,
};
