// Long because each rule stands beside the texts that break it.
import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { isTestSource } from './is-test-source.js';

const root = resolve(import.meta.dirname, '../..');
const NOT_OURS = ['**/node_modules', '**/dist', '**/coverage', '**/.strangler'];
const TOOLKIT = ['contracts', 'strangler-proxy', 'cdc', 'migrations'];
const PACKAGES = [...TOOLKIT, 'legacy-monolith', 'extracted-services', 'e2e', 'bench'];
const LONGEST = 300;

const sourcesIn = (folders: readonly string[]) =>
  folders.flatMap((folder) =>
    globSync('**/*.{ts,mts,cts,js,mjs,cjs}', { cwd: join(root, folder), exclude: NOT_OURS }).map((file) =>
      join(folder, file),
    ),
  );
const everySource = sourcesIn([...PACKAGES, 'scripts']);
const toolkitSources = sourcesIn(TOOLKIT).filter((file) => !isTestSource(file));

const parse = (file: string, text: string) =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
const readText = (file: string) => readFileSync(join(root, file), 'utf8');

/** What a rule says of a file; `text` is handed in so that a test can plant a violation. */
type Rule = (file: string, text: string) => readonly string[];
const violations = (rule: Rule, files: readonly string[]) =>
  files.flatMap((file) => rule(file, readText(file)));

/** Rules that look at the tree: `complaint` is asked of every node. */
const byNode =
  (complaint: (node: ts.Node, file: string) => string | undefined): Rule =>
  (file, text) => {
    const source = parse(file, text);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      const sentence = complaint(node, file);
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      if (sentence !== undefined) found.push(`${file}:${line + 1} ${sentence}`);
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  };

const fileNames: Rule = (file) => {
  const [stem = '', ...suffixes] = basename(file).split('.');
  const kebab = [stem, ...suffixes].every((part) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part));
  const drawer = file.split('/').find((part) => /^(utils?|helpers?|common|shared)(\.|$)/.test(part));
  return [
    ...(kebab ? [] : [`${file} is not named in kebab-case`]),
    ...(drawer === undefined ? [] : [`${file} is a drawer for anything ("${drawer}"): name what it does`]),
  ];
};

const syntax = byNode((node) => {
  if (ts.isEnumDeclaration(node)) return 'has an enum: write a const array and its union';
  if (ts.isModuleDeclaration(node) && ts.isIdentifier(node.name) && node.name.text !== 'global')
    return 'has a namespace: a file is one';
  if (node.kind === ts.SyntaxKind.AnyKeyword) return 'has "any": parse it into a type, or take unknown';
  const isDecorated = (owner: ts.Node) =>
    ts.canHaveDecorators(owner) && ts.getDecorators(owner) !== undefined;
  if (
    ts.isParameter(node) &&
    ts.isParameterPropertyDeclaration(node, node.parent) &&
    !isDecorated(node.parent.parent)
  )
    return 'has a parameter property: declare the field';
  return undefined;
});

const SWITCHED_OFF = /^(only|skip|todo|failing|skipIf|runIf)$/;
const allTestsRun = byNode((node) => {
  if (ts.isIdentifier(node) && /^(fit|xit|xtest|fdescribe|xdescribe)$/.test(node.text))
    return `has "${node.text}": every test runs`;
  if (!ts.isPropertyAccessExpression(node) || !SWITCHED_OFF.test(node.name.text)) return undefined;
  const subject = node.expression.getText();
  return /^(it|test|describe)\b/.test(subject)
    ? `has "${subject}.${node.name.text}": every test runs`
    : undefined;
});

/** Written so that it does not find itself. */
const UNFINISHED = /\b(T[O]DO|F[I]XME|X[X]X)\b/;
const finished: Rule = (file, text) =>
  text.split('\n').flatMap((line, index) => {
    const word = UNFINISHED.exec(line)?.[1];
    return word === undefined ? [] : [`${file}:${index + 1} says ${word}: do it, or leave it out`];
  });

const readsEnvironment = byNode((node, file) => {
  if (/^(environment|main)\.[cm]?[jt]s$/.test(basename(file)) || file.split('/').includes('bin'))
    return undefined;
  const complaint = 'reads process.env: take it as an argument from environment.ts or main.ts';
  if (ts.isPropertyAccessExpression(node) && node.getText().replaceAll('?.', '.') === 'process.env')
    return complaint;
  if (ts.isElementAccessExpression(node) && /^process\??\.?\[['"`]env['"`]\]$/.test(node.getText()))
    return complaint;
  const isProcess = (expression: ts.Node | undefined) =>
    expression !== undefined && expression.getText() === 'process';
  if (
    ts.isVariableDeclaration(node) &&
    isProcess(node.initializer) &&
    ts.isObjectBindingPattern(node.name) &&
    node.name.elements.some((element) => (element.propertyName ?? element.name).getText() === 'env')
  )
    return complaint;
  if (
    ts.isImportSpecifier(node) &&
    (node.propertyName ?? node.name).text === 'env' &&
    /^['"](node:)?process['"]$/.test(node.parent.parent.parent.moduleSpecifier.getText())
  )
    return complaint;
  return undefined;
});

/** A long file says before its first statement why it is long, in a sentence with "long", "lines" or "one file". */
const length: Rule = (file, text) => {
  const lines = text.trimEnd().split('\n').length;
  if (lines <= LONGEST) return [];
  const source = parse(file, text);
  const [statement] = source.statements;
  const head = text.slice(0, statement?.getStart(source) ?? text.length);
  return /\b(long|lines|one file)\b/i.test(head)
    ? []
    : [`${file} has ${lines} lines and does not say why in its first comment: say it or split it`];
};

type Avoided = { readonly term: string; readonly synonym: string };

/** The third column of the table `| Term | is | _Avoid_ |`; what stands in parentheses there narrows a word for readers. */
function avoidedIn(markdown: string): readonly Avoided[] {
  const rows = markdown
    .split('\n')
    .filter((line) => line.trim().startsWith('|'))
    .map((line) =>
      line
        .trim()
        .replace(/^\||\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  const head = rows.findIndex((cells) => /^_?avoid_?$/i.test(cells[2] ?? ''));
  if (head < 0) return [];
  return rows.slice(head + 1).flatMap(([term = '', , third = '']) =>
    /^:?-+:?$/.test(third)
      ? []
      : third
          .replace(/\([^)]*\)/g, '')
          .split(',')
          .map((synonym) =>
            synonym
              .replace(/[_*`"]/g, '')
              .trim()
              .toLowerCase(),
          )
          .filter((synonym) => synonym !== '' && synonym !== '-')
          .map((synonym) => ({ term, synonym })),
  );
}

const wordsOf = (identifier: string): readonly string[] =>
  identifier
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[\s_$-]+/)
    .map((word) => word.toLowerCase());

const hasExport = (node: ts.Node) =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;

function exportedNames(file: string, text: string): readonly string[] {
  const bound = (name: ts.BindingName): readonly string[] =>
    ts.isIdentifier(name)
      ? [name.text]
      : name.elements.flatMap((element) => (ts.isBindingElement(element) ? bound(element.name) : []));
  return parse(file, text).statements.flatMap((statement): readonly string[] => {
    if (ts.isExportDeclaration(statement) && statement.exportClause)
      return ts.isNamedExports(statement.exportClause)
        ? statement.exportClause.elements.map((element) => element.name.text)
        : [statement.exportClause.name.text];
    if (!hasExport(statement)) return [];
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) => bound(name));
    const { name } = statement as ts.DeclarationStatement;
    return name && ts.isIdentifier(name) ? [name.text] : [];
  });
}

/** Exported names that may carry a synonym, each with the reason. */
const ALLOWED_NAMES: Readonly<Record<string, string>> = {
  Inconsistency: 'of parts of a plan with each other; drift is of rows',
};

const vocabulary =
  (avoided: readonly Avoided[], allowed: readonly string[] = []): Rule =>
  (file, text) =>
    exportedNames(file, text)
      .filter((name) => !allowed.includes(name))
      .flatMap((name) =>
        avoided
          .filter(({ synonym }) => ` ${wordsOf(name).join(' ')} `.includes(` ${synonym} `))
          .map(({ term, synonym }) => `${file} exports "${name}": say "${term}" and not "${synonym}"`),
      );

describe('house rules', () => {
  it('look at the sources of every package', () => {
    expect(everySource.length).toBeGreaterThan(50);
    expect(toolkitSources).toEqual(expect.arrayContaining(['contracts/src/plan.ts']));
  });

  it('files are named in kebab-case, and none is a drawer for anything', () => {
    expect(violations(fileNames, everySource)).toEqual([]);
  });

  it('the toolkit has no enum, namespace, any or parameter property', () => {
    expect(violations(syntax, toolkitSources)).toEqual([]);
  });

  it('every test runs', () => {
    expect(violations(allTestsRun, everySource)).toEqual([]);
  });

  it('nothing is left unfinished', () => {
    expect(violations(finished, everySource)).toEqual([]);
  });

  it('the environment is read in one place of a program', () => {
    // The story of e2e hands its own environment on to the programs it starts, and so do fixtures of tests.
    const programs = sourcesIn([...TOOLKIT, 'legacy-monolith', 'extracted-services']);
    const read = programs.filter((file) => !isTestSource(file));
    expect(violations(readsEnvironment, read)).toEqual([]);
  });

  it('a source file of more than 300 lines says why', () => {
    expect(
      violations(
        length,
        sourcesIn(PACKAGES).filter((file) => !isTestSource(file)),
      ),
    ).toEqual([]);
  });

  it('exported names of the toolkit keep to the words of CONTEXT.md', () => {
    const avoided = avoidedIn(readText('CONTEXT.md'));
    expect(avoided.length).toBeGreaterThan(20);
    expect(violations(vocabulary(avoided, Object.keys(ALLOWED_NAMES)), toolkitSources)).toEqual([]);
    const needed = violations(vocabulary(avoided), toolkitSources).join();
    expect(Object.keys(ALLOWED_NAMES).filter((name) => !needed.includes(`"${name}"`))).toEqual([]);
  });
});

describe('a house rule finds', () => {
  it.each([
    ['a name in camel case', 'cdc/src/changeEvent.ts'],
    ['a name in snake case', 'cdc/src/change_event.ts'],
    ['a file for anything', 'cdc/src/utils.ts'],
    ['a test of a file for anything', 'cdc/src/helpers.test.ts'],
    ['a folder for anything', 'cdc/src/common/offset.ts'],
  ])('%s', (_, file) => expect(fileNames(file, '')).toHaveLength(1));

  it('nothing in a name with suffixes', () => {
    expect(fileNames('migrations/src/ledger-entry.db.test.ts', '')).toEqual([]);
  });

  it.each([
    ['an enum', 'enum Phase { legacy }'],
    ['a const enum', 'export const enum Phase { legacy }'],
    ['a namespace', 'namespace phases { export const first = 1; }'],
    ['any in an assertion', 'const x = y as any;'],
    ['any in a type', 'const x = (a: readonly any[]) => a;'],
    ['a parameter property', 'class A { constructor(private readonly clock: Clock) {} }'],
  ])('%s', (_, text) => expect(syntax('x.ts', text)).toEqual([expect.stringMatching(/^x\.ts:1 has/)]));

  it('no enum, namespace or any where only the word stands', () => {
    const text = `// any enum in a namespace
      declare module 'untyped';
      declare global { interface Window { any: string } }
      const any = z.enum(['any']);
      @Injectable() class Store { constructor(private readonly clock: Clock) {} }`;
    expect(syntax('x.ts', text)).toEqual([]);
  });

  it.each([
    'it.only("x", f)',
    'test.skip("x", f)',
    'it.todo("x")',
    'describe.skip.each([])("x", f)',
    'xit("x", f)',
  ])('a test that is switched off by %s', (text) => expect(allTestsRun('x.test.ts', text)).toHaveLength(1));

  it('no switched-off test in a method of the same name', () => {
    expect(allTestsRun('x.test.ts', 'reader.skip(4); it.each([1])("x", f);')).toEqual([]);
  });

  it('what is unfinished, by the whole word', () => {
    expect(finished('x.ts', `a\n// ${'todo'.toUpperCase()}: later`)).toHaveLength(1);
    expect(finished('x.ts', '// the todo list of a customer')).toEqual([]);
  });

  it.each([
    ['a read', 'const level = process.env.LEVEL;'],
    ['a read by text', `const level = process['env'].LEVEL;`],
    ['a read by pattern', 'const { env } = process;'],
    ['an import', `import { env } from 'node:process';`],
  ])('the environment in %s', (_, text) => {
    expect(readsEnvironment('cdc/src/lag.ts', text)).toHaveLength(1);
    expect(readsEnvironment('cdc/src/environment.ts', text)).toEqual([]);
    expect(readsEnvironment('cdc/src/main.ts', text)).toEqual([]);
  });

  it('a long file, unless it says why', () => {
    const long = 'f();\n'.repeat(LONGEST + 1);
    expect(length('x.ts', long)).toHaveLength(1);
    expect(length('x.ts', `/** How a plan is read. */\n${long}`)).toHaveLength(1);
    expect(length('x.ts', `// Long because the table of states is read best at a glance.\n${long}`)).toEqual(
      [],
    );
    expect(length('x.ts', 'f();\n'.repeat(LONGEST))).toEqual([]);
  });

  it('a forbidden synonym as a whole word of an exported name', () => {
    const avoided = avoidedIn(`
| Code | means |
|---|---|
| 1 | one, two |

| Term | is | _Avoid_ |
|---|---|---|
| Phase | legacy or shadow | stage, step |
| Backfill | copying rows | copy job, seed |
| Offset | position | cursor, LSN (outside the adapter) |
| Lag | seconds | - |
`);
    expect(avoided.map(({ synonym }) => synonym)).toEqual([
      'stage',
      'step',
      'copy job',
      'seed',
      'cursor',
      'lsn',
    ]);
    const rule = vocabulary(avoided);
    expect(rule('x.ts', 'export const nextStage = 1;')).toEqual([
      'x.ts exports "nextStage": say "Phase" and not "stage"',
    ]);
    for (const text of [
      'export type LSN = string;',
      'export function startCopyJob() {}',
      'const a = 1; export { a as STAGE_NAMES };',
      'export const { cursor } = position;',
      'export class StepRunner {}',
    ])
      expect(rule('x.ts', text)).toHaveLength(1);
    for (const text of ['const stage = 1;', 'export const backstage = 1;', 'export const seedless = 1;'])
      expect(rule('x.ts', text)).toEqual([]);
    expect(vocabulary(avoided, ['nextStage'])('x.ts', 'export const nextStage = 1;')).toEqual([]);
  });
});
