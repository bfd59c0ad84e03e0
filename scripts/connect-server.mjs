// A Kafka broker (KRaft) and a Connect worker with the Debezium connectors, as processes of this machine on loopback.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BROKER_HEAP = '-Xmx400m';
const WORKER_HEAP = '-Xmx500m';
/** Heaps that fit beside other work on a small machine; the class data of both JVMs stay small with one compiler tier. */
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

export const freePort = () =>
  new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

const answersAt = (port) =>
  new Promise((done) => {
    const socket = connectTo({ host: '127.0.0.1', port });
    const end = (answer) => (socket.destroy(), done(answer));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });

const properties = (entries) =>
  Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

/** @param {{ folder: string, broker: number, controller: number }} place */
const brokerProperties = ({ folder, broker, controller }) =>
  properties({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${broker}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(folder, 'kafka-logs'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    // A topic that nobody has created must be an error, not an empty topic with the defaults of the broker.
    'auto.create.topics.enable': false,
  });

const workerProperties = ({ broker, connect }) =>
  properties({
    'bootstrap.servers': `127.0.0.1:${broker}`,
    'group.id': 'strangler-connect',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': false,
    'value.converter.schemas.enable': false,
    'offset.storage.topic': 'strangler-connect-offsets',
    'offset.storage.replication.factor': 1,
    'offset.storage.partitions': 1,
    'config.storage.topic': 'strangler-connect-configs',
    'config.storage.replication.factor': 1,
    'status.storage.topic': 'strangler-connect-status',
    'status.storage.replication.factor': 1,
    'status.storage.partitions': 1,
    'offset.flush.interval.ms': 1000,
    // A worker that comes back after a stop, or beside its own ghost, is taken in at once.
    'scheduled.rebalance.max.delay.ms': 0,
    'exactly.once.source.support': 'enabled',
    listeners: `HTTP://127.0.0.1:${connect}`,
  });

/** Starts a JVM. `isTied`: it ends with this process, also when that is killed; else it stays when this process has ended. */
function startJava({ folder, name, args, isTied }) {
  const log = openSync(join(folder, `${name}.log`), 'a');
  const child = isTied
    ? spawn(
        '/bin/sh',
        [
          '-c',
          'exec 3<&0; "$@" </dev/null & p=$!; echo $p > "$PIDFILE"; (cat <&3 >/dev/null; kill -9 $p 2>/dev/null) & wait $p',
          name,
          'java',
          ...args,
        ],
        {
          stdio: ['pipe', log, log],
          detached: true,
          cwd: folder,
          env: { ...process.env, PIDFILE: join(folder, `${name}.pid`) },
        },
      )
    : spawn('java', args, { stdio: ['ignore', log, log], detached: true, cwd: folder });
  closeSync(log);
  child.stdin?.on('error', () => {});
  child.unref();
  child.stdin?.unref?.();
  return child;
}

async function until(isReady, child, { what, log, milliseconds, say }) {
  const started = Date.now();
  for (let told = started; !(await isReady()); await sleep(200)) {
    const waited = Date.now() - started;
    if (child.exitCode !== null || waited > milliseconds)
      throw new Error(
        `${what} ${child.exitCode === null ? `is not ready after ${Math.round(waited / 1000)} s` : 'has ended'}: read "${log}" (${tail(log)})`,
      );
    if (Date.now() - told > 3_000) {
      told = Date.now();
      say(`${what} is coming up (${Math.round(waited / 1000)} s)`);
    }
  }
  say(`${what} is ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

const tail = (file) => readFileSync(file, 'utf8').trim().split('\n').slice(-2).join(' / ').slice(-400);

const pidOf = async (child, folder, name, isTied) => {
  if (!isTied) return child.pid;
  for (;;) {
    try {
      const pid = Number(readFileSync(join(folder, `${name}.pid`), 'utf8'));
      if (pid > 0) return pid;
    } catch {
      await sleep(20);
    }
  }
};

/**
 * Starts the broker of a folder, with an empty log when the folder has none yet.
 * @returns {Promise<number>} its process id
 */
export async function startBroker({ libs, folder, broker, controller, isTied = false, say = () => {} }) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'server.properties');
  const isNew = !readable(join(folder, 'kafka-logs', 'meta.properties'));
  writeFileSync(file, brokerProperties({ folder, broker, controller }));
  const classpath = `${libs}/*`;
  if (isNew) {
    const made = spawnSync(
      'java',
      [
        '-Xmx128m',
        ...JVM,
        '-cp',
        classpath,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        'c3RyYW5nbGVyLWNvbm5lY3Q',
        '-c',
        file,
      ],
      { encoding: 'utf8', cwd: folder },
    );
    if (made.status !== 0)
      throw new Error(`the broker's storage could not be formatted: ${made.stderr.trim().slice(-400)}`);
  }
  rmSync(join(folder, 'broker.pid'), { force: true });
  const child = startJava({
    folder,
    name: 'broker',
    isTied,
    args: [BROKER_HEAP, ...JVM, '-cp', classpath, 'kafka.Kafka', file],
  });
  await until(() => answersAt(broker), child, {
    what: 'the broker',
    log: join(folder, 'broker.log'),
    milliseconds: 90_000,
    say,
  });
  return pidOf(child, folder, 'broker', isTied);
}

/** @returns {Promise<number>} its process id */
export async function startWorker({ libs, folder, broker, connect, isTied = false, say = () => {} }) {
  const file = join(folder, 'connect.properties');
  writeFileSync(file, workerProperties({ broker, connect }));
  rmSync(join(folder, 'worker.pid'), { force: true });
  const child = startJava({
    folder,
    name: 'worker',
    isTied,
    args: [WORKER_HEAP, ...JVM, '-cp', `${libs}/*`, 'org.apache.kafka.connect.cli.ConnectDistributed', file],
  });
  const isReady = () =>
    fetch(`http://127.0.0.1:${connect}/connectors`, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    );
  await until(isReady, child, {
    what: 'the Connect worker',
    log: join(folder, 'worker.log'),
    milliseconds: 120_000,
    say,
  });
  return pidOf(child, folder, 'worker', isTied);
}

/** Ends a process by its id, by force when it does not go; resolves when it is gone. */
export async function endProcess(pid, milliseconds = 15_000) {
  const isAlive = () => {
    try {
      process.kill(pid, 0);
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
    } catch (error) {
      return error.code === 'ENOENT' ? process.platform !== 'linux' : error.code === 'EPERM';
    }
  };
  for (const [signal, wait] of [
    ['SIGTERM', milliseconds],
    ['SIGKILL', 5_000],
  ]) {
    if (!isAlive()) return;
    process.kill(pid, signal);
    for (const deadline = Date.now() + wait; isAlive() && Date.now() < deadline;) await sleep(50);
  }
}

/** Whether the process is there and is one of ours: ids come again. */
export function isProcess(pid) {
  if (typeof pid !== 'number') return false;
  const { status, stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && /kafka\.Kafka|ConnectDistributed/.test(stdout);
}

function readable(file) {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
