import { type Client, createClient } from '../client.js';
import { advanceWhenReady } from '../operator.js';
import { isFromService } from '../served-by.js';
import type { Chapter, Story } from '../story.js';

const CLIENTS = 200;
const ROUNDS = 3;
/** Standard deviations a share of that many clients may be off before we call it wrong. */
const TOLERANCE = 4;

type Probe = { readonly client: Client; moved: boolean };

/** Asks for each client several times over; a client that changes sides in between is not sticky. */
async function ask(
  probes: readonly Probe[],
  traffic: Story['traffic'],
  claim: Story['claim'],
): Promise<number> {
  let changed = 0;
  for (let round = 0; round < ROUNDS; round++)
    for (let first = 0; first < probes.length; first += 10)
      await Promise.all(
        probes.slice(first, first + 10).map(async (probe) => {
          const moved = isFromService(await traffic.send(probe.client, 'GET', '/api/categories'));
          if (round > 0 && moved !== probe.moved) changed++;
          probe.moved = moved;
        }),
      );
  claim('every client stays on its side from request to request', changed === 0, `${changed} changed`);
  return probes.filter(({ moved }) => moved).length;
}

export const canary: Chapter = {
  title: 'Clients move in shares of 10, 50 and 100 %, each stays where it is',
  async run({ world, traffic, say, claim }) {
    const strangers: Probe[] = Array.from({ length: CLIENTS / 2 }, () => ({
      client: createClient(world.urls.proxy),
      moved: false,
    }));
    const customers: Probe[] = Array.from({ length: CLIENTS / 2 }, (_, index) => {
      const client = createClient(world.urls.proxy);
      client.cookies.set('cust', String(100_000 + index * 7));
      return { client, moved: false };
    });
    const probes = [...strangers, ...customers];
    for (const share of [10, 50, 100]) {
      if (share > 10) await advanceWhenReady(world, 60_000);
      const before = new Set(probes.filter(({ moved }) => moved));
      const moved = await ask(probes, traffic, claim);
      const expected = (CLIENTS * share) / 100;
      const slack = TOLERANCE * Math.sqrt((expected * (100 - share)) / 100);
      claim(
        `${share} % is ${share} %`,
        Math.abs(moved - expected) <= slack,
        `${moved} of ${CLIENTS} clients, expected ${expected} within ${slack.toFixed(0)}`,
      );
      claim(
        'who has moved stays moved when the share grows',
        [...before].every((probe) => probe.moved),
      );
      const observed = (await world.proxyEvidence()).migrations['catalog']?.share;
      say(
        `configured ${observed?.configured} %, ${moved} of ${CLIENTS} probing clients served by the service, observed share of all clients ${observed?.observedClients?.toFixed(1)} %`,
      );
    }
  },
};
