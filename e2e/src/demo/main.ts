import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { reasonOf } from '@strangler/contracts';
import { closeClients } from '../client.js';
import { ClaimFailed } from '../story.js';
import { tellStory } from '../tell-story.js';
import { createWorld, type World } from '../world.js';
import { printStory } from './print-story.js';

const { values: options } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    folder: { type: 'string', default: join(resolve(import.meta.dirname, '../../..'), '.strangler', 'demo') },
  },
});
const teller = printStory(process.stderr);
const begin = performance.now();
let world: World | undefined;
const abort = new AbortController();
const interruption = new Promise<'interrupted'>((done) =>
  abort.signal.addEventListener('abort', () => done('interrupted')),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => abort.abort());
process.on('disconnect', () => abort.abort());

const play = async () => {
  world = await createWorld({
    mysqlUrl: process.env['STRANGLER_MYSQL_URL'] ?? '',
    folder: options.folder,
    say: teller.say,
    signal: abort.signal,
  });
  return tellStory(world, teller, { customers: 50 });
};

try {
  const playing = play();
  const outcome = await Promise.race([playing, interruption]);
  // A start that is under way ends what it has started itself; a story that is under way ends with its world.
  if (outcome === 'interrupted' && !world) await playing.catch(() => {});
  if (outcome === 'interrupted') throw new Error('interrupted: everything is being ended');
  const { report, ...numbers } = outcome;
  process.stderr.write(
    `\nDone in ${((performance.now() - begin) / 1000).toFixed(0)} s. ${Object.entries(numbers)
      .map(([name, value]) => `${name} ${String(value)}`)
      .join(', ')}\nReport: ${report}\n`,
  );
  if (options.keep && world) {
    process.stderr.write(
      `\nLeft running until Ctrl-C:\n${Object.entries(world.urls)
        .map(([name, url]) => `  ${name.padEnd(10)} ${url}`)
        .join(
          '\n',
        )}\nThe CLI on it: (set -a; . ${join(options.folder, 'environment')}; npx strangler status --plan migrations/plans/shop.yaml)\n`,
    );
    await interruption;
  }
  if (options.json) process.stdout.write(`${JSON.stringify(outcome)}\n`);
} catch (error) {
  teller.end();
  process.stderr.write(
    `\n${error instanceof ClaimFailed ? `This claim does not hold: ${error.message}` : reasonOf(error)}\n`,
  );
  if (world) process.stderr.write(`The logs are in ${world.folder}\n`);
  process.exitCode = 1;
} finally {
  await world?.close();
  await closeClients();
}
// A story that was broken off may still wait for something that will not come.
process.exit();
