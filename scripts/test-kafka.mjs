// `npm run test:kafka`: the tests that need a real broker, Connect worker and Debezium, all on one of each.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectFolder, resolveJars } from './connect-jars.mjs';
import { endProcess, freePort, startBroker, startWorker } from './connect-server.mjs';

const root = resolve(import.meta.dirname, '..');

/**
 * Starts broker and worker, calls `run` with the file that says where they are, and ends them.
 * @param {(place: string) => unknown} run
 */
export async function withKafka(run, { milliseconds, say, ...jars }) {
  const libs = await resolveJars({ milliseconds, say, ...jars });
  const folder = join(connectFolder, `test-${process.pid}`);
  const file = join(folder, 'place.json');
  mkdirSync(folder, { recursive: true });
  const place = {
    libs,
    folder,
    broker: await freePort(),
    controller: await freePort(),
    connect: await freePort(),
    pids: {},
  };
  const save = () => writeFileSync(file, JSON.stringify(place));
  save();
  try {
    place.pids.broker = await startBroker({ ...place, isTied: true, say });
    place.pids.worker = await startWorker({ ...place, isTied: true, say });
    save();
    return await run(file);
  } finally {
    // Tests end them and start others, so the file knows best.
    for (const pid of [
      ...Object.values(place.pids),
      ...Object.values(JSON.parse(readFileSync(file, 'utf8')).pids),
    ])
      await endProcess(pid, 3_000);
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const status = await withKafka(
    (place) =>
      spawnSync(
        process.execPath,
        [
          '--experimental-vm-modules',
          '--disable-warning=ExperimentalWarning',
          '--disable-warning=TimeoutNegativeWarning',
          join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
          '--runInBand',
          ...(process.argv.length > 2 ? process.argv.slice(2) : [String.raw`\.kafka\.test\.ts$`]),
        ],
        { cwd: root, stdio: 'inherit', env: { ...process.env, STRANGLER_KAFKA: place } },
      ).status,
    { milliseconds: 600_000, say: (sentence) => console.error(sentence) },
  ).catch((error) => {
    console.error(error.message);
    return 1;
  });
  process.exitCode = status ?? 1;
}
