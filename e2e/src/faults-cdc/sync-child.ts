// The program that is killed and paused: sync as `strangler-sync` makes it, with a clock that can be turned and a phase that stands.
import { parsePlan, reasonOf } from '@strangler/contracts';
import { createSync } from '@strangler/cdc';
import { pino } from 'pino';
import { type MutantName, mutate } from './mutants.js';
import { seeded } from '../seeded.js';
import type { SyncMessage } from './sync-process.js';

const [plan = '', LEGACY, SERVICE, seed = '0', offset = '0', mutant = ''] = process.argv.slice(2);
let isHeld = false;
if (mutant !== '')
  mutate(mutant as MutantName, async () => {
    if (!isHeld) return;
    process.send?.({ held: true });
    await new Promise(() => {});
  });
const loaded = parsePlan(plan, '/plan.yaml', { SECRET: '0123456789abcdef', LEGACY, SERVICE });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
let turnedBy = Number(offset);
process.on('message', (message: SyncMessage) => {
  if ('turnBy' in message) turnedBy += message.turnBy;
  else isHeld = true;
});
process.on('disconnect', () => process.exit(0));
const random = seeded(Number(seed));
try {
  const sync = await createSync({
    plan: loaded.plan,
    log: pino({ level: 'info' }),
    instance: `sync-${process.pid}`,
    clock: () => Date.now() + turnedBy,
    random,
    subscription: {
      async run(onState, signal) {
        await onState({
          version: 1,
          migrations: { money: { phase: 'syncing', since: '2026-01-01T00:00:00Z' } },
        });
        await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
      },
    },
  });
  process.send?.({ admin: sync.urls['admin'] });
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
}
