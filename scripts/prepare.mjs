// Makes a fresh checkout runnable: node modules as the lockfile says, and the build. Runs on the machine's own Node,
// so it uses nothing but Node; everything after it runs on the Node that the lockfile pins.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const pinnedNode = join(root, 'node_modules', '.bin', 'node');

/** The environment in which `node` is the pinned one. */
export const environment = () => ({
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
});

function step(command, args, sentence) {
  process.stderr.write(`${sentence}\n`);
  const result = spawnSync(command, args, {
    cwd: root,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  if (result.status === 0) return;
  process.stderr.write(
    `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n"${command} ${args.join(' ')}" failed: correct what it says and run this again\n`,
  );
  process.exit(1);
}

/** Whether what is installed is what the lockfile says: npm writes its own copy of the lockfile last. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || !existsSync(pinnedNode)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      !path.includes('node_modules/') ||
      entry.optional ||
      entry.link ||
      present[path]?.version === entry.version,
  );
}

export function prepare() {
  if (!isInstalled()) step('npm', ['ci', '--no-fund', '--no-audit'], 'installing node modules');
  const newest = join(root, 'e2e', 'dist', '.tsbuildinfo');
  step(
    pinnedNode,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'],
    existsSync(newest) && statSync(newest).size > 0 ? 'bringing the build up to date' : 'building',
  );
}
