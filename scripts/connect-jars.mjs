// Resolves the jars of cdc/connect/pom.xml by Maven into a folder of this checkout, once for each content of that file.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const toolkitPom = join(root, 'cdc', 'connect', 'pom.xml');
/** The jars of the toolkit and, for the bench, a sink to be measured beside it. */
export const sinkPom = join(root, 'cdc', 'connect', 'sink', 'pom.xml');
export const connectFolder = join(root, '.strangler', 'connect');

const answers = (program, flag) =>
  spawnSync(program, [flag], { stdio: 'ignore', timeout: 30_000 }).status === 0;
const OR_DOCKER = 'or use Docker: "docker compose -f cdc/connect/compose.yaml up -d"';

/**
 * The folder of the jars. Throws one sentence with what to do when they cannot be had within the time.
 * @param {{ folder?: string, pom?: string, milliseconds?: number, say?: (sentence: string) => void }} options
 */
export async function resolveJars({
  folder = connectFolder,
  pom = toolkitPom,
  milliseconds = 600_000,
  say = () => {},
} = {}) {
  if (!answers('java', '-version'))
    throw new Error(`there is no Java here: install a JRE of 17 or later, ${OR_DOCKER}`);
  const libs = join(folder, 'libs');
  const stamp = join(libs, '.resolved');
  const revision = createHash('sha256')
    .update(readFileSync(toolkitPom))
    .update(readFileSync(pom))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === revision) return libs;
  if (!answers('mvn', '--version')) throw new Error(`there is no Maven here: install Maven 3, ${OR_DOCKER}`);
  say('resolving Kafka, Connect and Debezium by Maven (65 MB at the first time)');
  rmSync(libs, { recursive: true, force: true });
  mkdirSync(libs, { recursive: true });
  const args = [
    '-B',
    '-q',
    '-f',
    pom,
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${libs}`,
  ];
  const maven = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [maven.stdout, maven.stderr])
    stream.on('data', (chunk) => (output = (output + chunk).slice(-2_000)));
  const late = setTimeout(() => maven.kill(), milliseconds);
  const code = await new Promise((done) => maven.once('close', done).once('error', () => done(-1)));
  clearTimeout(late);
  if (code !== 0)
    throw new Error(
      code === null
        ? `Maven did not resolve the jars within ${milliseconds / 1000} s: try again, ${OR_DOCKER}`
        : `Maven could not resolve the jars (${output.trim().split('\n')[0] ?? ''}): see that it reaches its repository, ${OR_DOCKER}`,
    );
  say(`${readdirSync(libs).length} jars resolved`);
  writeFileSync(stamp, revision);
  return libs;
}
