// `npm run connect:up|down|status`: a broker and a Connect worker with Debezium on this machine, for one that has no Kafka yet.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { connectFolder, resolveJars } from './connect-jars.mjs';
import { endProcess, freePort, isProcess, startBroker, startWorker } from './connect-server.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    broker: { type: 'string', default: '9092' },
    connect: { type: 'string', default: '8083' },
    // Tests have a folder and free ports of their own.
    folder: { type: 'string', default: join(connectFolder, 'run') },
  },
});
const folder = values.folder;
const stateFile = join(folder, 'state.json');
const readState = () => (existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, 'utf8')) : undefined);
const say = (sentence) => console.error(sentence);
const portOf = async (text) => (Number(text) === 0 ? freePort() : Number(text));

async function up() {
  const before = readState();
  if (before && (isProcess(before.worker) || isProcess(before.broker))) {
    if (isProcess(before.worker) && isProcess(before.broker)) {
      say('broker and Connect worker are up already');
      return status();
    }
    await down();
  }
  const libs = await resolveJars({ say });
  mkdirSync(folder, { recursive: true });
  // Offsets and connectors lie in the broker's log, so a later start goes on with the ports of the first.
  const ports = before?.ports ?? {
    broker: await portOf(values.broker),
    controller: await freePort(),
    connect: await portOf(values.connect),
  };
  const state = { ports, broker: null, worker: null };
  const save = () => writeFileSync(stateFile, JSON.stringify(state, null, 2));
  save();
  try {
    state.broker = await startBroker({ libs, folder, ...ports, say });
    save();
    state.worker = await startWorker({ libs, folder, ...ports, say });
    save();
  } catch (error) {
    await down();
    throw error;
  }
  return status();
}

/** Ends the processes of the state file and nothing else; what they have written stays. */
async function down() {
  const state = readState();
  for (const name of ['worker', 'broker']) {
    if (!state || !isProcess(state[name])) continue;
    await endProcess(state[name]);
    say(`the ${name} has ended`);
  }
  if (state) writeFileSync(stateFile, JSON.stringify({ ...state, broker: null, worker: null }, null, 2));
  return 0;
}

async function status() {
  const state = readState();
  const address = state && `http://127.0.0.1:${state.ports.connect}`;
  const answer = state
    ? await fetch(`${address}/connectors?expand=status`, { signal: AbortSignal.timeout(3_000) }).then(
        (response) => response.json(),
        () => undefined,
      )
    : undefined;
  const connectors = Object.entries(answer ?? {}).map(([name, { status: told }]) => ({
    name,
    state: told.connector.state,
    tasks: told.tasks.map(({ id, state: of }) => ({ id, state: of })),
  }));
  const told = {
    broker: { up: isProcess(state?.broker), address: state ? `127.0.0.1:${state.ports.broker}` : null },
    connect: { up: answer !== undefined, address: address ?? null },
    connectors,
  };
  if (values.json) console.log(JSON.stringify(told));
  else {
    console.log(`broker ${told.broker.up ? `up at ${told.broker.address}` : 'down'}`);
    console.log(`connect ${told.connect.up ? `up at ${told.connect.address}` : 'down'}`);
    for (const { name, state: of, tasks } of connectors)
      console.log(
        `connector ${name} ${of}; ${tasks.map((task) => `task ${task.id} ${task.state}`).join(', ') || 'no task'}`,
      );
  }
  return told.broker.up && told.connect.up ? 0 : 1;
}

/** Forgets all that the broker has, also the offsets of connectors. */
async function reset() {
  await down();
  rmSync(folder, { recursive: true, force: true });
  return 0;
}

const verbs = { up, down, status, reset };
const verb = verbs[positionals[0]];
try {
  if (!verb)
    throw new Error('write "npm run connect:up", "connect:down", "connect:status" or "connect:reset"');
  process.exitCode = await verb();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
