import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** What is asked for: the same requests of every contender. */
export type Case = {
  readonly name: 'small' | 'large' | 'post';
  readonly title: string;
  readonly method: 'GET' | 'POST';
  readonly answerBytes: number;
  readonly bodyBytes: number;
};

export const SMALL_BYTES = 136;
export const LARGE_BYTES = 102_400;

export const CASES: readonly Case[] = [
  {
    name: 'small',
    title: `GET, ${SMALL_BYTES} bytes of JSON`,
    method: 'GET',
    answerBytes: SMALL_BYTES,
    bodyBytes: 0,
  },
  { name: 'large', title: 'GET, 100 KiB', method: 'GET', answerBytes: LARGE_BYTES, bodyBytes: 0 },
  { name: 'post', title: 'POST, 10 KiB', method: 'POST', answerBytes: SMALL_BYTES, bodyBytes: 10_240 },
];

const MIGRATIONS = 10;
const ROUTES_EACH = 100;
export const ROUTES = MIGRATIONS * ROUTES_EACH;
/** The one migration in canary, half of whose clients are on the service. */
export const CANARY = 'area-0';
const SHARE = 50;
export const SECRET = 'a secret of sufficient length';

const caseOf = (index: number): Case => CASES[index % 10 === 8 ? 1 : index % 10 === 9 ? 2 : 0] as Case;

const routesOf = (migration: number) =>
  Array.from({ length: ROUTES_EACH }, (_, index) => {
    const { name, method } = caseOf(index);
    return { match: `${method} /${name}/area-${migration}/kind-${index}/:id`, shadow: false };
  });

/** Half of the requests are for routes in canary, a quarter for other routes of the plan, a quarter for none. */
export function pathsOf({ name }: Case): readonly string[] {
  return Array.from({ length: 200 }, (_, index) => {
    const kinds = Array.from({ length: ROUTES_EACH }, (_each, kind) => kind).filter(
      (kind) => caseOf(kind).name === name,
    );
    const kind = kinds[index % kinds.length] as number;
    const area = index % 4 < 2 ? 0 : index % 4 === 2 ? 1 + (index % (MIGRATIONS - 1)) : 'of-nobody';
    return `/${name}/area-${area}/kind-${kind}/${index}?page=${index % 7}`;
  });
}

export type PlanAddresses = {
  readonly upstream: string;
  readonly controlPort: number;
  readonly port: number;
  readonly adminPort: number;
};

/** The plan's text: 1,000 routes in ten migrations, flags from a file, state from a control plane. */
export function planText({ upstream, controlPort, port, adminPort }: PlanAddresses): string {
  const migrations = Object.fromEntries(
    Array.from({ length: MIGRATIONS }, (_, index) => [
      `area-${index}`,
      { owner: 'bench', upstream: 'service', routes: routesOf(index) },
    ]),
  );
  const text = stringify({
    version: 1,
    proxy: { listen: `127.0.0.1:${port}`, admin: `127.0.0.1:${adminPort}`, secret: '@SECRET@' },
    control: { listen: `127.0.0.1:${controlPort}`, ledger: '@LEDGER@' },
    flags: { file: 'flags.json' },
    upstreams: { legacy: upstream, service: upstream },
    migrations,
  });
  return text.replaceAll(/["']?@(\w+)@["']?/g, '!env $1');
}

/** Writes plan.yaml and flags.json into the folder. */
export async function writePlan(folder: string, addresses: PlanAddresses): Promise<string> {
  await mkdir(folder, { recursive: true });
  const flag = `strangler.${CANARY}`;
  const parameters = { rollout: String(SHARE), stickiness: 'default', groupId: flag };
  const strategies = [{ name: 'flexibleRollout', parameters, constraints: [] }];
  await writeFile(
    join(folder, 'flags.json'),
    JSON.stringify({ version: 2, features: [{ name: flag, enabled: true, strategies }], segments: [] }),
  );
  const file = join(folder, 'plan.yaml');
  await writeFile(file, planText(addresses));
  return file;
}

/** What the programs read from their environment. */
export const planEnvironment = { SECRET, LEDGER: 'mysql://root@127.0.0.1:1/ledger' };
