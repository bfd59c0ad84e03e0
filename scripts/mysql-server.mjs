// One file, although long: it must run alone, before anything is installed.
// Provides a MySQL-compatible server, in this order: STRANGLER_MYSQL_URL, a private instance of a local mariadbd or
// mysqld (STRANGLER_MYSQL_PROGRAM names another one), Docker, the system's package manager when root, else one sentence that says what to do.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Folders a database server hides in although they are not on every user's PATH. */
const SERVER_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/opt/mariadb/bin',
  '/opt/homebrew/bin',
];

const PACKAGE_MANAGERS = [
  { command: 'apt-get', steps: [['update'], ['install', '-y', '--no-install-recommends', 'mariadb-server']] },
  { command: 'dnf', steps: [['install', '-y', 'mariadb-server']] },
  { command: 'apk', steps: [['add', '--no-cache', 'mariadb', 'mariadb-client']] },
  { command: 'zypper', steps: [['--non-interactive', 'install', 'mariadb']] },
  { command: 'pacman', steps: [['-Sy', '--noconfirm', 'mariadb']] },
];

const which = (name) => {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...SERVER_FOLDERS]) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
};

const freePort = () =>
  new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** Waits until a client can log in; answers the error of the last try when time is up. */
async function waitForLogin(url, milliseconds, isAlive = () => true) {
  const { createConnection } = await import('mysql2/promise');
  const deadline = Date.now() + milliseconds;
  let last;
  while (Date.now() < deadline && isAlive()) {
    try {
      const connection = await createConnection({ uri: url, connectTimeout: 2000 });
      await connection.query('SELECT 1');
      await connection.end();
      return undefined;
    } catch (error) {
      last = error;
      await sleep(100);
    }
  }
  return last ?? new Error('the server ended');
}

/** Removes the folders of servers whose owner was killed before it could. */
function sweepLeftFolders(parent) {
  for (const name of existsSync(parent) ? readdirSync(parent) : []) {
    const owner = /^mysql-(\d+)-/.exec(name)?.[1];
    if (owner === undefined) continue;
    try {
      process.kill(Number(owner), 0);
    } catch (error) {
      if (error.code === 'ESRCH') rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}

/** A server that ends as it should takes a second or two. */
const SHUTDOWN_MS = 30_000;

/** The system account the server runs as: `mysql` when root and that account can reach the folder. */
function accountFor(folder) {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag) => spawnSync('id', [flag, 'mysql'], { encoding: 'utf8' });
  const [uid, gid] = [id('-u'), id('-g')];
  if (uid.status !== 0) return { name: 'root' };
  for (let parent = dirname(folder); parent !== dirname(parent); parent = dirname(parent))
    if ((statSync(parent).mode & 0o001) === 0) return { name: 'root' };
  return { name: 'mysql', uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * Starts a private server with an empty data folder, on loopback, with a random password for root.
 * @param {{ folder?: string, args?: string[], program?: string }} options `args` are appended to the server's own
 *   (the later of two wins), `folder` is emptied first
 * @returns {Promise<{ url: string, how: string, stop: () => Promise<void>, pid: () => number, restart: (signal: NodeJS.Signals) => Promise<void> }>}
 *   `restart` ends it by a signal and starts it on the same data and port
 */
export async function startServer(options = {}) {
  const program =
    options.program ?? process.env.STRANGLER_MYSQL_PROGRAM ?? which('mariadbd') ?? which('mysqld');
  if (!program) throw new Error('no mariadbd or mysqld found on this machine');
  const isMariaDb =
    basename(program) === 'mariadbd' ||
    /mariadb/i.test(spawnSync(program, ['--no-defaults', '--version'], { encoding: 'utf8' }).stdout);
  const folder = resolve(
    options.folder ?? join(root, '.strangler', `mysql-${process.pid}-${randomBytes(3).toString('hex')}`),
  );
  sweepLeftFolders(dirname(folder));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const data = join(folder, 'data');
  mkdirSync(data);
  // A server that starts removes what looks like temporary tables left over, also those of another server that has the same folder.
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const env = { ...process.env, TMPDIR: temporary };
  // A socket path may have 107 bytes at most, so it does not live below the checkout.
  const socketFolder = mkdtempSync(join(tmpdir(), 'strangler-'));
  const account = accountFor(folder);
  const user = account ? [`--user=${account.name}`] : [];
  if (account?.uid !== undefined)
    for (const path of [folder, data, temporary, socketFolder]) chownSync(path, account.uid, account.gid);

  if (isMariaDb) {
    const installer = which('mariadb-install-db') ?? which('mysql_install_db');
    if (!installer)
      throw new Error(`"${program}" has no mariadb-install-db beside it: install the whole server package`);
    await run(
      installer,
      [
        '--no-defaults',
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        `--datadir=${data}`,
        ...user,
      ],
      { maxBuffer: 1 << 26, env },
    );
  } else {
    await run(program, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`, ...user], {
      maxBuffer: 1 << 26,
      env,
    });
  }

  const password = randomBytes(12).toString('hex');
  const init = join(folder, 'init.sql');
  writeFileSync(
    init,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';\nCREATE USER IF NOT EXISTS 'root'@'127.0.0.1';\nALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '${password}';\nGRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n`,
    { mode: 0o644 },
  );

  const launch = async (port) => {
    const args = [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${join(socketFolder, 'mysql.sock')}`,
      `--pid-file=${join(folder, 'server.pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      '--max-connections=400',
      '--server-id=1',
      '--log-bin=binlog',
      '--binlog-format=ROW',
      '--binlog-row-image=FULL',
      '--log-bin-trust-function-creators=1',
      '--character-set-server=utf8mb4',
      '--innodb-buffer-pool-size=192M',
      '--innodb-flush-log-at-trx-commit=2',
      '--sync-binlog=0',
      `--init-file=${init}`,
      ...(isMariaDb ? ['--skip-ssl'] : ['--mysqlx=OFF', '--secure-file-priv=NULL']),
      ...user,
      ...(options.args ?? []),
    ];
    // The shell keeps the server alive only as long as our end of its standard input is open: a parent that is
    // killed with -9 leaves no server behind.
    const keeper = spawn(
      '/bin/sh',
      [
        '-c',
        'exec 3<&0; "$@" </dev/null & p=$!; (cat <&3 >/dev/null; kill $p 2>/dev/null) & wait $p',
        'mysql-server',
        program,
        ...args,
      ],
      {
        stdio: ['pipe', 'ignore', 'pipe'],
        detached: true,
        env,
      },
    );
    let log = '';
    keeper.stderr.on('data', (chunk) => (log = (log + chunk).slice(-4000)));
    keeper.stdin.on('error', () => {});
    let alive = true;
    const gone = new Promise((done) => keeper.once('exit', () => ((alive = false), done())));
    const ended = new Promise((done) => keeper.once('close', () => done()));
    const url = `mysql://root:${password}@127.0.0.1:${port}/`;
    const failure = await waitForLogin(url, 60_000, () => alive);
    let serverPid;
    const end = async () => {
      keeper.ref();
      // Else a process with nothing else to do would end before it has heard of the end.
      keeper.stderr.ref?.();
      keeper.stdin.end();
      // A server that was hurt may never come to the end of its shutdown, and whoever waits for it would neither.
      const late = setTimeout(() => {
        try {
          if (serverPid) process.kill(serverPid, 'SIGKILL');
        } catch {
          // It has just ended.
        }
      }, SHUTDOWN_MS);
      await ended;
      clearTimeout(late);
    };
    if (failure) {
      await end();
      return { failure, log };
    }
    serverPid = Number(readFileSync(join(folder, 'server.pid'), 'utf8'));
    keeper.unref();
    keeper.stderr.unref?.();
    keeper.stdin.unref?.();
    return { url, gone, end };
  };

  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    let running = await launch(port);
    if (!running.failure) {
      const pid = () => Number(readFileSync(join(folder, 'server.pid'), 'utf8'));
      const stop = async () => {
        await running.end();
        rmSync(folder, { recursive: true, force: true });
        rmSync(socketFolder, { recursive: true, force: true });
      };
      const restart = async (signal) => {
        process.kill(pid(), signal);
        await running.gone;
        await running.end();
        const next = await launch(port);
        if (next.failure)
          throw new Error(`"${program}" did not start again: ${next.failure.message}\n${next.log}`);
        running = next;
      };
      return { url: running.url, how: `private instance of ${program}`, stop, pid, restart };
    }
    if (attempt === 3 || !/address already in use/i.test(running.log))
      throw new Error(`"${program}" did not start: ${running.failure.message}\n${running.log}`);
  }
}

const dockerAnswers = () =>
  which('docker') !== undefined &&
  spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;

async function startInDocker() {
  const password = randomBytes(12).toString('hex');
  const port = await freePort();
  const { stdout } = await run(
    'docker',
    [
      'run',
      '-d',
      '--rm',
      '-p',
      `127.0.0.1:${port}:3306`,
      '-e',
      `MARIADB_ROOT_PASSWORD=${password}`,
      'mariadb:11.4',
      '--server-id=1',
      '--log-bin=binlog',
      '--binlog-format=ROW',
      '--binlog-row-image=FULL',
      '--log-bin-trust-function-creators=1',
      '--max-connections=400',
    ],
    { maxBuffer: 1 << 26 },
  );
  const id = stdout.trim();
  const stop = async () => void (await run('docker', ['rm', '-f', id]));
  const url = `mysql://root:${password}@127.0.0.1:${port}/`;
  const failure = await waitForLogin(url, 120_000);
  if (failure) {
    await stop();
    throw new Error(`the container of "mariadb:11.4" did not start: ${failure.message}`);
  }
  return { url, how: 'Docker container of mariadb:11.4', stop };
}

/**
 * A MySQL-compatible server, wherever one can be had.
 * @param {{ folder?: string, say?: (sentence: string) => void }} options
 */
export async function provideMysql(options = {}) {
  const say = options.say ?? (() => {});
  const given = process.env.STRANGLER_MYSQL_URL;
  if (given) {
    const failure = await waitForLogin(given, 5_000);
    if (failure)
      throw new Error(
        `the server of STRANGLER_MYSQL_URL does not answer (${failure.message}): start it, correct the URL, or unset the variable`,
      );
    return { url: given, how: 'STRANGLER_MYSQL_URL', stop: async () => {} };
  }
  if (process.env.STRANGLER_MYSQL_PROGRAM || which('mariadbd') || which('mysqld'))
    return startServer(options);
  if (dockerAnswers()) {
    say('no local mariadbd or mysqld: starting one in Docker');
    return startInDocker();
  }
  const manager =
    process.getuid?.() === 0 ? PACKAGE_MANAGERS.find(({ command }) => which(command)) : undefined;
  if (manager) {
    say(`no local mariadbd or mysqld and no Docker engine: installing MariaDB with ${manager.command}`);
    for (const step of manager.steps)
      await run(manager.command, step, {
        maxBuffer: 1 << 26,
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    return startServer(options);
  }
  throw new Error(
    'no MySQL-compatible server can be had: set STRANGLER_MYSQL_URL, install mariadb-server, or start Docker',
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await provideMysql({ say: console.error });
  console.log(server.url);
  const keepAlive = setInterval(() => {}, 1 << 30);
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void server.stop().finally(() => clearInterval(keepAlive)));
}
