import { lookup as systemLookup } from 'node:dns/promises';
import { reasonOf } from '@strangler/contracts';

/** All addresses of a host name; throws when there is no answer. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export type AddressFollower = { start(): void; stop(): void };

/** As the system resolves names: hosts file, search domains and all. */
export const lookupByName: Lookup = async (host) =>
  (await systemLookup(host, { all: true })).map(({ address }) => address);

/**
 * Looks a name up again and again. A failure keeps the last addresses: a name server that is down must not take
 * upstreams along. `onLost` is called once for each outage, with its reason, and with null when it is over.
 */
export function followAddresses(options: {
  readonly host: string;
  readonly refreshMs: number;
  readonly family: 4 | 6 | undefined;
  readonly lookup: Lookup;
  readonly onAddresses: (addresses: readonly string[]) => void;
  readonly onLost: (reason: string | null) => void;
}): AddressFollower {
  const { host, refreshMs, family, lookup, onAddresses, onLost } = options;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let lost = false;
  const refresh = async (): Promise<void> => {
    try {
      const found = addressesOf(await lookup(host), family);
      if (stopped) return;
      if (found.length === 0) throw new Error(`"${host}" has no address`);
      if (lost) onLost(null);
      lost = false;
      onAddresses(found);
    } catch (error) {
      if (stopped) return;
      if (!lost) onLost(reasonOf(error));
      lost = true;
    }
    timer = setTimeout(() => void refresh(), refreshMs);
  };
  return {
    start: () => void refresh(),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Addresses of one family only (Envoy: V4_PREFERRED): both of one machine would count it twice, and often only one can be reached. */
function addressesOf(found: readonly string[], family: 4 | 6 | undefined): readonly string[] {
  const six = found.filter((address) => address.includes(':'));
  const four = found.filter((address) => !address.includes(':'));
  const kept = family === 6 ? six : family === 4 || four.length > 0 ? four : six;
  return [...new Set(kept)];
}
