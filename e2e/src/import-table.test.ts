import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { isTestSource } from './is-test-source.js';

const root = resolve(import.meta.dirname, '../..');
const NOT_OURS = ['**/node_modules', '**/dist', '**/coverage', '**/.strangler'];

/** Who may import whom, by the names of the workspaces. A workspace without a row here fails. */
const TABLE: Readonly<Record<string, readonly string[] | 'everything'>> = {
  '@strangler/contracts': [],
  '@strangler/proxy': ['@strangler/contracts'],
  '@strangler/cdc': ['@strangler/contracts'],
  '@strangler/migrations': ['@strangler/contracts'],
  '@sample/legacy-monolith': [],
  'extracted-services/*': ['@strangler/contracts'],
  '@strangler/e2e': 'everything',
  '@strangler/bench': 'everything',
};

type Manifest = {
  readonly name: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Workspace = { readonly folder: string; readonly manifest: Manifest };
type Import = { readonly specifier: string; readonly line: number; readonly typeOnly: boolean };

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
const rootManifest = manifestOf('.');
const workspaces: readonly Workspace[] = (rootManifest.workspaces ?? [])
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
  .map((folder) => ({ folder, manifest: manifestOf(folder) }));
const byName = new Map(workspaces.map((workspace) => [workspace.manifest.name, workspace]));

const allowedFor = ({ folder, manifest }: Workspace) =>
  TABLE[folder.startsWith('extracted-services/') ? 'extracted-services/*' : manifest.name];

/** A specifier that is computed at run time cannot be judged, so it is reported under this name. */
const COMPUTED = '(computed)';
/** Where a plan, and not the toolkit, names what is loaded. */
const NAMED_BY_THE_PLAN: ReadonlySet<string> = new Set(['cdc/src/load-functions.ts']);

/** Everything a text asks another module for: static, dynamic, re-exported, as a type, by require, by reference comment. */
function importsOf(text: string, file: string): readonly Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (node: ts.Node, target: ts.Node | undefined, typeOnly: boolean) =>
    found.push({
      specifier: target && ts.isStringLiteralLike(target) ? target.text : COMPUTED,
      line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1,
      typeOnly,
    });
  const isTypeOnly = ({ importClause: clause }: ts.ImportDeclaration): boolean => {
    const named = clause?.namedBindings;
    return (
      clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
      (clause !== undefined &&
        clause.name === undefined &&
        named !== undefined &&
        ts.isNamedImports(named) &&
        named.elements.length > 0 &&
        named.elements.every((element) => element.isTypeOnly))
    );
  };
  const isLoader = (callee: ts.Expression): boolean =>
    callee.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(callee) && callee.text === 'require') ||
    /^(require|import\.meta)\.resolve$/.test(callee.getText(source));
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnly(node));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier)
      add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
      add(node, node.moduleReference.expression, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node, node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const { fileName, pos } of source.referencedFiles)
    found.push({
      specifier: fileName.startsWith('.') ? fileName : `./${fileName}`,
      line: source.getLineAndCharacterOfPosition(pos).line + 1,
      typeOnly: true,
    });
  return found;
}

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
/** Where DefinitelyTyped keeps the types of a package. */
const typesOf = (name: string): string =>
  `@types/${name.startsWith('@') ? name.slice(1).replace('/', '__') : name}`;

/** Why the import is against the table, or undefined. `file` is relative to the root. */
function whyForbidden(
  workspace: Workspace,
  file: string,
  { specifier, typeOnly }: Import,
): string | undefined {
  const isTest = isTestSource(file);
  const { folder, manifest } = workspace;
  if (specifier === COMPUTED)
    return isTest || NAMED_BY_THE_PLAN.has(file) ? undefined : 'is computed, so the table cannot be held';
  if (/^(\/|file:|https?:|data:)/.test(specifier)) return 'is absolute';
  if (specifier.startsWith('.')) {
    const target = relative(root, resolve(root, file, '..', specifier));
    if (target.startsWith(`${folder}/`)) return undefined;
    return isTest && target.startsWith('scripts/') ? undefined : 'leaves its package';
  }
  if (isBuiltin(specifier)) return undefined;

  const name = packageOf(specifier);
  const neighbour = byName.get(name);
  if (neighbour) {
    const allowed = allowedFor(workspace);
    if (neighbour === workspace) return 'names its own package: import relatively';
    if (allowed !== 'everything' && !allowed?.includes(name)) return 'is not in the import table';
    const subpath = `.${specifier.slice(name.length)}`;
    if (!(subpath in (neighbour.manifest.exports ?? {}))) return 'reaches past what the package exports';
  }
  const atRunTime = {
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
    ...manifest.dependencies,
  };
  const atBuildTime = { ...manifest.devDependencies, ...(isTest ? rootManifest.devDependencies : {}) };
  if (name in atRunTime) return undefined;
  if ((isTest || typeOnly) && (name in atBuildTime || typesOf(name) in { ...atBuildTime, ...atRunTime }))
    return undefined;
  return `is not declared in ${folder}/package.json${typesOf(name) in atBuildTime ? ' (its types are: write "import type")' : ''}`;
}

const violationsIn = (workspace: Workspace, file: string, text: string): readonly string[] =>
  importsOf(text, file).flatMap((entry) => {
    const why = whyForbidden(workspace, file, entry);
    return why === undefined ? [] : [`${file}:${entry.line} imports "${entry.specifier}", which ${why}`];
  });

const filesOf = ({ folder }: Workspace) =>
  globSync('**/*.{ts,mts,cts,js,mjs,cjs}', { cwd: join(root, folder), exclude: NOT_OURS }).map((file) =>
    join(folder, file),
  );

const workspaceOf = (name: string): Workspace => {
  const workspace = byName.get(name);
  if (!workspace) throw new Error(`there is no workspace "${name}"`);
  return workspace;
};

describe('the import table', () => {
  it('has a row for every workspace', () => {
    expect(workspaces.length).toBeGreaterThanOrEqual(7);
    expect(workspaces.filter((workspace) => allowedFor(workspace) === undefined)).toEqual([]);
  });

  it.each(workspaces.map((workspace) => [workspace.folder, workspace] as const))(
    'holds in %s',
    (_, workspace) => {
      expect(
        filesOf(workspace).flatMap((file) =>
          violationsIn(workspace, file, readFileSync(join(root, file), 'utf8')),
        ),
      ).toEqual([]);
    },
  );

  const bound = workspaces.filter((workspace) => allowedFor(workspace) !== 'everything');
  it.each(bound.map((workspace) => [workspace.folder, workspace] as const))(
    'holds in what %s declares to npm and to the compiler',
    (folder, workspace) => {
      const allowed = allowedFor(workspace);
      const { dependencies, devDependencies, peerDependencies, optionalDependencies } = workspace.manifest;
      const declared = Object.keys({
        ...dependencies,
        ...devDependencies,
        ...peerDependencies,
        ...optionalDependencies,
      }).filter((name) => byName.has(name));
      const { config } = ts.readConfigFile(join(root, folder, 'tsconfig.json'), (file) =>
        readFileSync(file, 'utf8'),
      ) as { config: { references?: readonly { path: string }[] } };
      const referenced = (config.references ?? []).map(
        ({ path }) => manifestOf(relative(root, resolve(root, folder, path))).name,
      );
      expect([...declared, ...referenced].filter((name) => !allowed?.includes(name))).toEqual([]);
    },
  );

  it('reads the sources, so that it does not hold for want of imports', () => {
    const contracts = filesOf(workspaceOf('@strangler/contracts'));
    const imports = contracts.flatMap((file) => importsOf(readFileSync(join(root, file), 'utf8'), file));
    expect(imports.map(({ specifier }) => specifier)).toEqual(
      expect.arrayContaining(['zod', 'node:net', './address.js']),
    );
  });
});

describe('a violation is found', () => {
  const found = (name: string, text: string, file = 'src/x.ts') => {
    const workspace = workspaceOf(name);
    return violationsIn(workspace, join(workspace.folder, file), text);
  };

  it.each([
    ['a static import', `import { decode } from '@strangler/cdc';`],
    ['an import of types', `import type { Decoder } from '@strangler/cdc';`],
    ['an import for its effect', `import '@strangler/cdc';`],
    ['a re-export', `export * from '@strangler/cdc';`],
    ['a dynamic import', `const load = async () => import('@strangler/cdc');`],
    ['a dynamic import in a template', 'const load = () => import(`@strangler/cdc`);'],
    ['an import type', `let decoder: import('@strangler/cdc').Decoder;`],
    ['an import with require', `import cdc = require('@strangler/cdc');`],
    ['a require', `const cdc = require('@strangler/cdc');`],
    ['a resolved path', `const at = import.meta.resolve('@strangler/cdc');`],
  ])('in %s', (_, text) => {
    expect(found('@strangler/proxy', text)).toEqual([
      'strangler-proxy/src/x.ts:1 imports "@strangler/cdc", which is not in the import table',
    ]);
  });

  it('in a relative path that leaves the package, in a test too', () => {
    for (const file of ['src/x.ts', 'src/x.test.ts'])
      expect(found('@strangler/proxy', `import { x } from '../../cdc/src/x.js';`, file)).toEqual([
        `strangler-proxy/${file}:1 imports "../../cdc/src/x.js", which leaves its package`,
      ]);
  });

  it('in a reference comment', () => {
    expect(found('@strangler/proxy', `/// <reference path="../../cdc/src/x.d.ts" />`)).toHaveLength(1);
  });

  it('in a deep import, even where the package itself is allowed', () => {
    for (const name of ['@strangler/proxy', '@strangler/e2e'])
      expect(found(name, `import { parsePlan } from '@strangler/contracts/src/load-plan.js';`)).toEqual([
        expect.stringContaining('reaches past what the package exports'),
      ]);
  });

  it('in an npm package that only hoisting provides', () => {
    expect(found('@strangler/proxy', `import { DataSource } from 'typeorm';`)).toEqual([
      'strangler-proxy/src/x.ts:1 imports "typeorm", which is not declared in strangler-proxy/package.json',
    ]);
    expect(found('@strangler/proxy', `import { expect } from '@jest/globals';`)).toHaveLength(1);
    expect(found('@strangler/cdc', `import { parse } from 'yaml';`)).toHaveLength(1);
  });

  it('in a value taken from a package of which only the types are declared', () => {
    expect(found('@sample/legacy-monolith', `import express from 'express';`)).toEqual([
      expect.stringContaining('write "import type"'),
    ]);
    expect(found('@sample/legacy-monolith', `import type { Request } from 'express';`)).toEqual([]);
  });

  it('in a specifier that is computed', () => {
    expect(found('@strangler/proxy', `const load = (name) => import(name);`)).toHaveLength(1);
  });

  it('and what the table allows is not', () => {
    expect(
      found(
        '@strangler/proxy',
        `import { readFile } from 'node:fs/promises';
         import { Pool } from 'undici';
         import { parsePlan } from '@strangler/contracts';
         import { match } from './match.js';
         import schema from '@strangler/contracts/plan.schema.json' with { type: 'json' };`,
      ),
    ).toEqual([]);
    expect(
      found(
        '@strangler/cdc',
        `import { it } from '@jest/globals';
         import { startServer } from '../../scripts/mysql-server.mjs';`,
        'src/x.db.test.ts',
      ),
    ).toEqual([]);
  });
});
