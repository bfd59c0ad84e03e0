import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Report, Status } from '../report/report.js';
import type { Moved } from '../transition/control.js';
import { operatorFolder, type OperatorFolder } from '../up/terminal.fixture.js';

let place: OperatorFolder;
let up: ReturnType<OperatorFolder['up']>;
beforeAll(async () => {
  place = await operatorFolder(process.env['STRANGLER_MYSQL_URL'] ?? '');
  up = place.up();
  await up.ready();
});
afterAll(() => place.remove());

const json = async (...args: string[]): Promise<{ code: number | null; body: unknown }> => {
  const { code, out, err } = await place.strangler([...args, '--json']);
  expect([err, out.trim().split('\n').length]).toEqual(['', 1]);
  return { code, body: JSON.parse(out) };
};
const status = async () => (await json('status')).body as Status;
const move = async (...args: string[]) => (await json(...args)).body as Moved;

describe('the commands, in the order an operator needs them', () => {
  it('validate: a right plan exits 0 and asks nobody', async () => {
    expect((await place.strangler(['validate'])).out).toMatch(
      /^plan "strangler.yaml" is right: revision \w{12}, 2 migrations\n$/,
    );
    expect(await json('validate')).toEqual({
      code: 0,
      body: { ok: true, revision: expect.any(String), migrations: ['catalog', 'search'], warnings: [] },
    });
    const schema = JSON.parse((await place.strangler(['validate', '--schema'])).out) as object;
    expect(schema).toMatchObject({ type: 'object', properties: { migrations: expect.anything() } });
  });

  it('validate: a broken plan exits 2 with every problem, path and remedy', async () => {
    const file = join(place.folder, 'broken.yaml');
    await writeFile(
      file,
      (await readFile(place.plan, 'utf8'))
        .replace('owner: team search', 'colour: red')
        .replace('GET /api/search', 'GET api'),
    );
    for (const command of [['validate'], ['status'], ['up'], ['advance', 'catalog']]) {
      const { code, err, out } = await place.strangler([...command, '--plan', file]);
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(/migrations\.search\.owner.*: is missing: add it/);
      expect(err).toMatch(/migrations\.search\.colour.*: is not a key of the plan/);
      expect(err).toMatch(/migrations\.search\.routes\[0\].*is not a route pattern/);
    }
    expect(await json('validate', '--plan', file)).toEqual({
      code: 2,
      body: {
        ok: false,
        problems: Array.from({ length: 3 }, () => expect.objectContaining({ code: expect.any(String) })),
      },
    });
  });

  it('validate --rows: has sync try the mappings on rows, and exits 2 with what is lost', async () => {
    expect(await place.strangler(['validate', '--rows', '50'])).toMatchObject({ code: 0, err: '' });
    const broken = await place.strangler(['validate', '--rows', '50'], { FAKE_SYNC: 'problem' });
    expect(broken).toMatchObject({ code: 2, out: '' });
    expect(broken.err).toMatch(/^--rows 50 --plan strangler\.yaml --json: is lost: say so\n/);
    expect((await place.strangler(['validate', '--rows', 'many'])).code).toBe(2);
  });

  it('validate: a plan with warnings exits 0 and tells them, with --strict it exits 2', async () => {
    const file = join(place.folder, 'warned.yaml');
    await writeFile(file, (await readFile(place.plan, 'utf8')).replace('GET /api/search', 'GET /api/*'));
    const line =
      /^warning: migrations\.search\.routes\[0\] \(line \d+\): "GET \/api\/\*" leaves some of its requests to .* of "catalog" and 2 more of "catalog".*: narrow one of the two/;
    const plain = await place.strangler(['validate', '--plan', file]);
    expect(plain).toEqual({
      code: 0,
      out: expect.stringMatching(/ is right: revision \w{12}, 2 migrations, 1 warning\n$/),
      err: expect.stringMatching(line),
    });
    const strict = await place.strangler(['validate', '--plan', file, '--strict']);
    expect([strict.code, strict.err]).toEqual([2, plain.err]);
    const warnings = [
      expect.objectContaining({ code: 'ROUTE_OVERLAP', path: 'migrations.search.routes[0]' }),
    ];
    expect(await json('validate', '--plan', file)).toEqual({
      code: 0,
      body: expect.objectContaining({ ok: true, warnings }),
    });
    expect(await json('validate', '--plan', file, '--strict')).toEqual({
      code: 2,
      body: expect.objectContaining({ ok: false, warnings }),
    });
    expect((await place.strangler(['validate', '--strict'])).code).toBe(0);
  });

  it('status: says what the next step waits for', async () => {
    const { out, code } = await place.strangler(['status']);
    expect(code).toBe(0);
    expect(out).toMatch(/catalog \(team catalog\)\n {2}phase +legacy\n/);
    expect((await status()).migrations.map(({ name }) => name)).toEqual(['catalog', 'search']);
  });

  it('advance --dry-run: says what would be done, and does not', async () => {
    const { out, code } = await place.strangler(['advance', 'catalog', '--dry-run']);
    expect(code).toBe(0);
    expect(out).toMatch(/"legacy" -> "syncing" \(dry run, nothing is changed\)/);
    expect(out).toMatch(/- would write to the ledger: advanced from "legacy" to "syncing" by "ann"\n/);
    expect((await status()).migrations[0]?.phase).toBe('legacy');
  });

  it('advance: exits 0 when it moved, and the programs have followed', async () => {
    const { code, body } = await json('advance', 'catalog', '--by', 'bob', '--why', 'first try');
    expect([code, body]).toEqual([
      0,
      expect.objectContaining({ ok: true, from: 'legacy', to: 'syncing', dryRun: false, forced: false }),
    ]);
    expect((body as Moved).steps).toEqual([
      'wrote to the ledger: advanced from "legacy" to "syncing" by "bob"',
      'all 2 subscribers have the new phase in force',
    ]);
  });

  it('advance: exits 3 with the gates when one is unmet', async () => {
    const { code, body: refusal } = await json('advance', 'catalog');
    const body = refusal as { ok: boolean; code: string; gates: { gate: string; met: boolean }[] };
    expect([code, body.ok, body.code]).toEqual([3, false, 'GATE_UNMET']);
    expect(body.gates.filter(({ met }) => !met).map(({ gate }) => gate)).toEqual(['verification']);
    const { code: same, err } = await place.strangler(['advance', 'catalog']);
    expect([same, err]).toEqual([
      3,
      expect.stringMatching(
        /UNMET {2}verification: this copy was never verified: run "strangler verify catalog"/,
      ),
    ]);
  });

  it('verify: exits 0 without drift', async () => {
    expect(await json('verify', 'catalog')).toEqual({
      code: 0,
      body: expect.objectContaining({ clean: true, rowsVerified: 10 }),
    });
    const { out } = await place.strangler(['verify', 'catalog']);
    expect(out).toMatch(/^catalog: 10 rows compared in \d+\.\d s, no drift\n/);
  });

  it('advance and rollback: to the canary and back', async () => {
    expect((await move('advance', 'catalog')).to).toBe('shadow');
    expect(await move('advance', 'catalog')).toMatchObject({ to: 'canary', shareTo: 10 });
    const flags = await readFile(join(place.folder, 'flags.json'), 'utf8');
    expect(flags).toMatch(/"rollout": "10"/);
    expect((await json('advance', 'catalog', '--share', '100')).code).toBe(2);
    expect(await move('rollback', 'catalog', '--why', 'enough')).toMatchObject({
      from: 'canary',
      to: 'shadow',
      shareFrom: 10,
    });
    expect((await json('rollback', 'catalog', '--to', 'canary')).code).toBe(2);
  });

  it('explain: asks the proxy with method, path, cookies and headers', async () => {
    const args = ['explain', 'get', '/api/products/7', '--cookie', 'cust=42', '--header', 'x-tier: gold'];
    expect((await json(...args)).body).toMatchObject({
      method: 'GET',
      path: '/api/products/7',
      client: { kind: 'user' },
      reason: 'header gold',
    });
    expect((await place.strangler(args)).out).toBe(
      'GET /api/products/7 -> legacy, and the service is asked beside it\nheader gold\nmigration "catalog", route "GET /api/products/:id", phase "shadow", flag "strangler.catalog"\nclient: user, bucket 37 of 100\n',
    );
  });

  it('report: writes three files of one moment, or prints one', async () => {
    const { code, out } = await place.strangler(['report', '--out', 'reports/today']);
    const folder = join(place.folder, 'reports', 'today');
    expect([code, out.trim().split('\n')]).toEqual([
      0,
      ['md', 'json', 'html'].map((format) => join('reports', 'today', `report.${format}`)),
    ]);
    expect((await readdir(folder)).toSorted()).toEqual(['report.html', 'report.json', 'report.md']);
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report;
    // The second refusal said the same as the first, so the ledger has it once.
    expect(report.migrations[0]?.history.map(({ kind }) => kind)).toEqual([
      'advanced',
      'refused',
      'verified',
      'verified',
      'advanced',
      'advanced',
      'rolled-back',
    ]);
    for (const [format, begin] of [
      ['md', '# Migration report'],
      ['html', '<!doctype html>'],
      ['json', '{'],
    ] as const)
      expect((await place.strangler(['report', '--format', format])).out.startsWith(begin)).toBe(true);
  });

  it.each([
    [
      'an unknown migration',
      ['advance', 'nothing'],
      2,
      /"nothing" is not in the plan: known are "catalog", "search"/,
    ],
    ['an unknown command', ['fly'], 2, /unknown command 'fly'/],
    ['an unknown option', ['status', '--fast'], 2, /unknown option '--fast'/],
    ['a phase that is none', ['rollback', 'catalog', '--to', 'moon'], 2, /Allowed choices are legacy/],
    ['a share that is none', ['advance', 'catalog', '--share', '1.5'], 2, /whole percent/],
    ['force without a reason', ['advance', 'search', '--force'], 2, /add --why/],
    ['a plan that is not there', ['status', '--plan', 'none.yaml'], 2, /plan "none.yaml" cannot be read/],
    ['a path that is none', ['explain', 'GET', 'api'], 2, /"api" is not a path/],
    ['a cookie that is none', ['explain', 'GET', '/', '--cookie', 'x'], 2, /not written like "cust=42"/],
  ])('%s: one sentence and the exit code', async (_what, args, code, sentence) => {
    const ended = await place.strangler(args);
    expect([ended.code, ended.out, ended.err]).toEqual([code, '', expect.stringMatching(sentence)]);
  });

  it('help: names every command and the exit codes', async () => {
    const { code, out } = await place.strangler(['--help']);
    expect(code).toBe(0);
    for (const name of ['validate', 'status', 'advance', 'rollback', 'verify', 'report', 'explain', 'up'])
      expect(out).toContain(name);
    expect(out).toContain('0 ok, 1 failed, 2 bad plan or input, 3 gate unmet or drift found');
  });

  it('without a control plane: exits 1 and says how to start it', async () => {
    up.signal('SIGTERM');
    await up.ended;
    const { code, err } = await place.strangler(['status']);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/does not answer .*start it with "strangler up --plan FILE"/),
    ]);
  });
});
