import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument, isNode, type Document } from 'yaml';
import type { z } from 'zod';
import { planUnreadable } from './errors.js';
import { crossCheck } from './cross-check.js';
import { withFunctionFiles } from './function-files.js';
import { withGroupFlags } from './groups.js';
import { lintRoutes } from './lint-routes.js';
import { type PlanDocument, planSchema } from './plan.js';
import type { Problem } from './problem.js';

/** A plan that is right: parsed once, trusted after. */
export type Plan = PlanDocument & {
  /**
   * Hash of what the plan says, 12 hex digits. What enters by !env counts by its name: programs that reach the same
   * things under other addresses have the same plan, and no secret goes into a hash that is published.
   */
  readonly revision: string;
  /** Absolute path of the file, and of its folder: relative paths in the plan start there. */
  readonly file: string;
  readonly folder: string;
};

export type LoadedPlan =
  | {
      readonly ok: true;
      readonly plan: Plan;
      /** What is allowed and seldom meant; it keeps nothing from starting. */
      readonly warnings: () => readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type Path = readonly PropertyKey[];
const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  ) || 'plan';

/** `!env NAME` is a marker here; it becomes the variable's value only after every missing one has been told. */
class EnvironmentReference {
  readonly variable: string;
  constructor(variable: string) {
    this.variable = variable;
  }
}

const remedies: Partial<Record<string, (issue: z.core.$ZodIssue) => string>> = {
  too_small: () => 'give more',
  too_big: () => 'give less',
  invalid_value: (issue) =>
    `use ${'values' in issue ? (issue.values as unknown[]).map((value) => JSON.stringify(value)).join(' or ') : 'an allowed value'}`,
};

function problemOf(issue: z.core.$ZodIssue, lineOf: (path: Path) => number | undefined): Problem[] {
  const given = (issue as { params?: { remedy?: string } }).params?.remedy;
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      code: 'PLAN_UNKNOWN_KEY',
      path: pathText([...issue.path, key]),
      message: 'is not a key of the plan',
      remedy: 'remove it or correct its spelling',
      ...line(lineOf([...issue.path, key])),
    }));
  // A key says what is wrong with it as a value does.
  if (issue.code === 'invalid_key')
    return issue.issues.flatMap((error) =>
      problemOf({ ...error, path: [...issue.path, ...error.path] }, lineOf),
    );
  // Of a union, the alternative of the right type that has least wrong with it says most.
  if (issue.code === 'invalid_union') {
    const ofRightType = issue.errors
      .filter((errors) => errors.every((error) => error.path.length > 0 || error.code !== 'invalid_type'))
      .toSorted((a, b) => a.length - b.length);
    const [best, second] = ofRightType;
    if (best && (!second || best.length < second.length))
      return best.flatMap((error) => problemOf({ ...error, path: [...issue.path, ...error.path] }, lineOf));
    return [
      {
        code: 'PLAN_INVALID',
        path: pathText(issue.path),
        message: 'has none of the allowed forms',
        remedy: 'see the plan reference in docs/plan.md',
        ...line(lineOf(issue.path)),
      },
    ];
  }
  const missing = issue.code === 'invalid_type' && /received undefined/.test(issue.message);
  return [
    {
      code: 'PLAN_INVALID',
      path: pathText(issue.path),
      message: missing ? 'is missing' : issue.message.replace(/^Invalid input: /, ''),
      remedy: given ?? (missing ? 'add it' : (remedies[issue.code]?.(issue) ?? 'correct it')),
      ...line(lineOf(issue.path)),
    },
  ];
}

const line = (number: number | undefined) => (number === undefined ? {} : { line: number });

function replaceReferences(
  value: unknown,
  path: Path,
  environment: Readonly<Record<string, string | undefined>>,
  complain: (path: Path, variable: string) => void,
): unknown {
  if (value instanceof EnvironmentReference) {
    const found = environment[value.variable];
    if (found === undefined || found === '') complain(path, value.variable);
    return found ?? '';
  }
  if (Array.isArray(value))
    return value.map((item, index) => replaceReferences(item, [...path, index], environment, complain));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        replaceReferences(item, [...path, key], environment, complain),
      ]),
    );
  return value;
}

/** Literal secrets in the file: they belong into the environment. */
function secretProblems(value: unknown, lineOf: (path: Path) => number | undefined): Problem[] {
  const plan = (value ?? {}) as {
    proxy?: { secret?: unknown; adminToken?: unknown; sessionBridge?: { token?: { keys?: unknown } } };
    sync?: { adminToken?: unknown; failover?: Record<string, unknown> };
    control?: { ledger?: unknown; adminToken?: unknown };
    flags?: { unleash?: { token?: unknown } };
    databases?: Record<string, unknown>;
  };
  const hasPassword = (text: unknown) =>
    typeof text === 'string' && URL.canParse(text) && new URL(text).password !== '';
  const keys = [plan.proxy?.sessionBridge?.token?.keys ?? []].flat() as readonly unknown[];
  const found: [Path, boolean][] = [
    [['proxy', 'secret'], typeof plan.proxy?.secret === 'string'],
    ...(['proxy', 'sync', 'control'] as const).map((name): [Path, boolean] => [
      [name, 'adminToken'],
      typeof plan[name]?.adminToken === 'string',
    ]),
    [['flags', 'unleash', 'token'], typeof plan.flags?.unleash?.token === 'string'],
    [['control', 'ledger'], hasPassword(plan.control?.ledger)],
    ...keys.map((key, index): [Path, boolean] => [
      ['proxy', 'sessionBridge', 'token', 'keys', index, 'pem'],
      typeof (key as { pem?: unknown } | null)?.pem === 'string',
    ]),
    ...Object.entries(plan.databases ?? {}).map(([key, url]): [Path, boolean] => [
      ['databases', key],
      hasPassword(url),
    ]),
    ...Object.entries(plan.sync?.failover ?? {}).flatMap(([key, urls]) =>
      [urls]
        .flat()
        .map((url, index): [Path, boolean] => [['sync', 'failover', key, index], hasPassword(url)]),
    ),
  ];
  return found
    .filter(([, bad]) => bad)
    .map(([path]) => ({
      code: 'PLAN_SECRET',
      path: pathText(path),
      message: 'has a secret in the file',
      remedy: 'let it enter by "!env NAME"',
      ...line(lineOf(path)),
    }));
}

/** Parses and checks the text of a plan. Reports all problems at once; touches nothing but its arguments. */
export function parsePlan(
  text: string,
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedPlan {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, {
    lineCounter: lines,
    customTags: [{ tag: '!env', resolve: (name: string) => new EnvironmentReference(name.trim()) }],
  });
  const lineOf = (path: Path): number | undefined => {
    for (let depth = path.length; depth > 0; depth--) {
      const node: unknown = document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return undefined;
  };
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0)
    return {
      ok: false,
      problems: syntax.map((error) => ({
        code: 'PLAN_SYNTAX',
        path: 'plan',
        message: error.message.split('\n')[0]?.replace(/ at line .*$/, '') ?? 'is not YAML',
        remedy: 'correct the YAML',
        ...line(error.linePos?.[0].line),
      })),
    };

  const raw: unknown = document.toJS();
  const problems: Problem[] = secretProblems(raw, lineOf);
  const unset = new Set<string>();
  const resolved = replaceReferences(raw, [], environment, (path, variable) => {
    unset.add(pathText(path));
    problems.push({
      code: 'PLAN_ENVIRONMENT',
      path: pathText(path),
      message: `needs the environment variable "${variable}", which is not set`,
      remedy: `set ${variable}`,
      ...line(lineOf(path)),
    });
  });
  const parsed = planSchema.safeParse(resolved);
  // A value that is unset is told once, not again as an empty string that is no URL.
  if (!parsed.success)
    problems.push(
      ...parsed.error.issues
        .flatMap((issue) => problemOf(issue, lineOf))
        .filter((problem) => !unset.has(problem.path)),
    );
  for (const { path, message, remedy } of crossCheck(resolved))
    problems.push({
      code: 'PLAN_INCONSISTENT',
      path: pathText(path),
      message,
      remedy,
      ...line(lineOf(path)),
    });
  if (problems.length > 0 || !parsed.success)
    return { ok: false, problems: problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  const absolute = resolve(file);
  const revision = createHash('sha256').update(JSON.stringify(raw)).digest('hex').slice(0, 12);
  const warnings = () =>
    lintRoutes(parsed.data)
      .map(({ code, path, message, remedy }): Problem => ({
        code,
        path: pathText(path),
        message,
        remedy,
        ...line(lineOf(path)),
      }))
      .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return {
    ok: true,
    plan: {
      ...withFunctionFiles(withGroupFlags(parsed.data), dirname(absolute)),
      revision,
      file: absolute,
      folder: dirname(absolute),
    },
    warnings,
  };
}

/** Throws PLAN_UNREADABLE when there is no such file; everything wrong inside it is a value. */
export async function loadPlan(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<LoadedPlan> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw planUnreadable(file, cause);
  });
  return parsePlan(text, file, environment);
}
