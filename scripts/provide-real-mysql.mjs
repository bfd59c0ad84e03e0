// Provides a real MySQL server below `.strangler/mysql-real`, beside whatever the machine has: a small Debian sid in a folder, with the server
// in it. Needs root and apt-get (debootstrap is installed when missing), 700 MB and about two minutes; the second call finds it done.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '..', '.strangler', 'mysql-real');

const WITHOUT_ROOT =
  'a real MySQL can be provided here only by root on a machine with apt-get: set STRANGLER_MYSQL_PROGRAM to a mysqld of your own instead';

/** @returns {string} path of a `mysqld`. Throws one sentence that says what to do. */
export function provideRealMysql(say = () => {}) {
  const program = join(home, 'mysqld');
  if (existsSync(program)) return program;
  if (process.getuid?.() !== 0 || !has('apt-get')) throw new Error(WITHOUT_ROOT);
  if (!has('debootstrap')) {
    say('installing debootstrap');
    run('apt-get', ['update']);
    run('apt-get', ['install', '-y', '--no-install-recommends', 'debootstrap']);
  }
  const unfinished = join(home, 'unfinished');
  const root = join(home, 'root');
  if (!existsSync(join(root, 'usr', 'sbin', 'mysqld'))) {
    say('unpacking Debian sid and MySQL (about two minutes)');
    for (const folder of [unfinished, root]) rmSync(folder, { recursive: true, force: true });
    mkdirSync(home, { recursive: true });
    run('debootstrap', ['--variant=minbase', 'sid', unfinished]);
    const apt = ['-o', 'Acquire::Check-Valid-Until=false'];
    run('chroot', [unfinished, 'apt-get', ...apt, 'update']);
    run('chroot', [
      unfinished,
      'apt-get',
      ...apt,
      'install',
      '-y',
      '--no-install-recommends',
      'mysql-server-core',
    ]);
    renameSync(unfinished, root);
  }
  // By its own loader and libraries, so that it runs outside its folder too. Its own options come last: --no-defaults must be the first of all.
  const text = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
root="$here/root"
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu:$root/usr/lib/mysql/private" "$root/usr/sbin/mysqld" "$@" --basedir="$root/usr" --lc-messages-dir="$root/usr/share/mysql" --character-sets-dir="$root/usr/share/mysql/charsets" --plugin-dir="$root/usr/lib/mysql/plugin"
`;
  writeFileSync(`${program}.new`, text);
  chmodSync(`${program}.new`, 0o755);
  const tried = spawnSync(`${program}.new`, ['--no-defaults', '--version'], { encoding: 'utf8' });
  if (tried.status !== 0) throw new Error(`the MySQL that was unpacked does not start: ${tried.stderr}`);
  renameSync(`${program}.new`, program);
  say(tried.stdout.trim());
  return program;
}

const has = (command) => spawnSync('/bin/sh', ['-c', `command -v ${command}`]).status === 0;

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 1 << 28,
  });
  if (status !== 0)
    throw new Error(
      `"${command} ${args.join(' ')}" failed (${error?.message ?? stderr.slice(-500)}): mend that, or set STRANGLER_MYSQL_PROGRAM to a mysqld of your own`,
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(provideRealMysql(console.error));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
