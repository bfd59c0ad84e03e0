import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = [
  '/usr/sbin',
  '/usr/bin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/sbin',
  '/bin',
];
const PACKAGE_MANAGERS = [
  { command: 'apt-get', steps: [['update'], ['install', '-y', '--no-install-recommends']] },
  { command: 'dnf', steps: [['install', '-y']] },
  { command: 'apk', steps: [['add', '--no-cache']] },
];

export function pathOf(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Installs what is missing of the programs, from packages of the same name but where `packageOf` says another, when root; what stays missing is told. */
export function provide(
  programs: readonly string[],
  mayInstall: boolean,
  tell: (line: string) => void,
  packageOf: Readonly<Record<string, string>> = {},
): void {
  const missing = programs.filter((program) => pathOf(program) === undefined);
  if (missing.length === 0) return;
  const manager = PACKAGE_MANAGERS.find(({ command }) => pathOf(command) !== undefined);
  if (mayInstall && process.getuid?.() === 0 && manager) {
    tell(`installing ${missing.join(', ')} from the system's packages`);
    for (const [index, step] of manager.steps.entries())
      spawnSync(
        manager.command,
        index === manager.steps.length - 1
          ? [...step, ...missing.map((program) => packageOf[program] ?? program)]
          : step,
        {
          stdio: 'ignore',
          // RUNLEVEL keeps Debian from starting what it has just installed as a service.
          env: { PATH: FOLDERS.join(':'), DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
        },
      );
  }
  for (const program of missing)
    if (pathOf(program) === undefined)
      tell(`"${program}" is not installed: what needs it is left out; install it, or run once as root`);
}
