// `npm test`: build, types of the tests, lint, format, and all tests on the real parts. The last line counts them.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, pinnedNode, prepare, root } from './prepare.mjs';
import { withKafka } from './test-kafka.mjs';

prepare();
const modules = (...path) => join(root, 'node_modules', ...path);
const run = (args, more = {}) =>
  spawnSync(pinnedNode, args, { cwd: root, env: { ...environment(), ...more }, stdio: 'inherit' }).status ===
  0;
const folders = [
  'contracts',
  'strangler-proxy',
  'cdc',
  'migrations',
  'legacy-monolith',
  'extracted-services',
  'e2e',
  'bench',
  'scripts',
];
const count = { passed: 0, failed: 0, skipped: 0 };
/** How long a run waits for Maven; later ones find the jars. */
const JARS_DEADLINE_MS = 180_000;

const checks = {
  'types of the tests': [modules('typescript', 'bin', 'tsc'), '-p', 'tsconfig.test.json'],
  lint: [modules('oxlint', 'bin', 'oxlint'), '--type-aware', '--disable-nested-config', ...folders],
  format: [modules('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.'],
};
for (const [name, args] of Object.entries(checks)) {
  const passed = run(args);
  console.log(`${passed ? 'PASS' : 'FAIL'} ${name}`);
  count[passed ? 'passed' : 'failed']++;
}

mkdirSync(join(root, '.strangler'), { recursive: true });
const given = process.argv.slice(2);
/** A database that others have made, and that this repository does not bring along. */
const hasSakila = existsSync(join(root, '.strangler', 'sakila'));
// What plays on the whole system comes after everything else; beside it only the suites of Kafka, which mostly wait.
const lots =
  given.length > 0
    ? [given]
    : [
        [
          '--maxWorkers=2',
          '--testPathIgnorePatterns',
          '/node_modules/',
          '/dist/',
          '/.strangler/',
          '/e2e/',
          '/bench/',
          String.raw`\.kafka\.test\.ts$`,
          ...(hasSakila ? [] : [String.raw`sakila\.db\.test\.ts$`]),
        ],
        ['--runInBand', 'e2e/src', 'bench/src'],
      ];
async function runLot(index, args, more = {}) {
  const output = join(root, '.strangler', `jest-${index}.json`);
  const jest = spawn(
    pinnedNode,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      modules('jest', 'bin', 'jest.js'),
      '--json',
      `--outputFile=${output}`,
      ...args,
    ],
    { cwd: root, env: { ...environment(), ...more }, stdio: 'inherit' },
  );
  await once(jest, 'exit');
  const results = JSON.parse(readFileSync(output, 'utf8'));
  count.passed += results.numPassedTests;
  count.failed += results.numFailedTests + results.numRuntimeErrorTestSuites;
}

/** They need Java, and Maven the first time: without them the rest is still worth a run. */
async function runKafka() {
  let hasKafka = false;
  try {
    await withKafka(
      async (place) => {
        hasKafka = true;
        await runLot('kafka', ['--runInBand', String.raw`\.kafka\.test\.ts$`], { STRANGLER_KAFKA: place });
      },
      { milliseconds: JARS_DEADLINE_MS, say: (sentence) => console.log(sentence) },
    );
  } catch (error) {
    if (hasKafka) throw error;
    // Whatever Node the machine has reads this file first, so nothing newer than the oldest one that may be there.
    const suites = ['cdc/src', 'e2e/src', 'scripts']
      .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }))
      .filter((file) => String(file).endsWith('.kafka.test.ts')).length;
    count.skipped += suites;
    console.log(`SKIP ${suites} suites that need Kafka: ${error.message}`);
  }
}

const [first, ...others] = lots;
await runLot(0, first);
// What it throws is thrown when the others have ended.
const kafka = (given.length === 0 ? runKafka() : Promise.resolve()).then(
  () => undefined,
  (error) => error,
);
for (const [index, args] of others.entries()) await runLot(index + 1, args);
const broken = await kafka;
if (broken) throw broken;

if (given.length === 0 && !hasSakila) {
  count.skipped++;
  console.log('SKIP 1 suite that needs Sakila: "node scripts/provide-sakila.mjs" gets it');
}

if (count.skipped > 0) console.log(`${count.skipped} suites skipped for want of what they need`);
// The very last line, and nothing else on it: programs read it.
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
