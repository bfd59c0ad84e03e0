import { execFile } from 'node:child_process';
import type { Address, Plan, Problem } from '@strangler/contracts';
import { movesData } from '../evidence/evidence.js';

/** The programs a plan needs, in the order of their start: nobody is told of a phase before the ledger speaks. */
export const programsOf = (plan: Plan): readonly string[] =>
  Object.keys(plan.migrations).length === 0
    ? ['strangler-proxy']
    : ['strangler-control', 'strangler-proxy', ...(movesData(plan) ? ['strangler-sync'] : [])];

/** Two programs on one address: each alone would find it free. */
export function sharedAddresses(plan: Plan): readonly Problem[] {
  const programs = programsOf(plan);
  const addresses: (readonly [string, Address])[] = [
    ['proxy.listen', plan.proxy.listen],
    ['proxy.admin', plan.proxy.admin],
    ...(programs.includes('strangler-sync') ? [['sync.admin', plan.sync.admin] as const] : []),
    ...(programs.includes('strangler-control') && plan.control
      ? [['control.listen', plan.control.listen] as const]
      : []),
  ];
  return addresses.flatMap(([path, { host, port }], index) => {
    const other = addresses
      .slice(0, index)
      .find(([, earlier]) => port !== 0 && earlier.port === port && earlier.host === host);
    return other === undefined
      ? []
      : [
          {
            code: 'ADDRESS_SHARED',
            path,
            message: `"${host}:${port}" is also the address of ${other[0]}`,
            remedy: 'give each a port of its own',
          },
        ];
  });
}

export type Check = {
  readonly name: string;
  readonly script: string;
  /** What it is asked for, `--check` when left out. */
  readonly ask?: readonly string[];
};

/** Has every program look for what would keep it from starting. They run at once; all problems of all come back. */
export async function preflight(
  programs: readonly Check[],
  file: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const found = await Promise.all(programs.map((program) => checkOne(program, file, environment, signal)));
  return found.flat();
}

const checkOne = (
  { name, script, ask = ['--check'] }: Check,
  file: string,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
) =>
  new Promise<readonly Problem[]>((done) => {
    execFile(
      process.execPath,
      [script, ...ask, '--plan', file, '--json'],
      { env: environment, signal, maxBuffer: 1 << 24, encoding: 'utf8' },
      (error, out, err) => {
        const problems = problemsIn(out);
        if (problems !== undefined && (problems.length > 0 || !error)) return done(problems);
        const said = `${err}${out}`.trim().split('\n').at(-1) ?? '';
        done([
          {
            code: 'PREFLIGHT_FAILED',
            path: name,
            message: `could not check itself (${said || error?.message || 'it said nothing'})`,
            remedy: `run "${name} ${ask.join(' ')} --plan ${file}" to see more`,
          },
        ]);
      },
    );
  });

function problemsIn(text: string): readonly Problem[] | undefined {
  try {
    const { problems } = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { problems?: unknown };
    return Array.isArray(problems) ? (problems as Problem[]) : undefined;
  } catch {
    return undefined;
  }
}
