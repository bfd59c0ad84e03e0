import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type RoutingState, subscribeToState } from '@strangler/contracts';
import { mismatched, syncOf, traffic, verification } from '../evidence/evidence.fixture.js';
import { ledgerFailed, shareSetInUnleash } from '../errors.js';
import type { LedgerEvent } from '../ledger/ledger.js';
import type { Report, Status } from '../report/report.js';
import type { Moved } from '../transition/control.js';
import { type ControlWorld, controlWorld, rawStatus } from './control.fixture.js';

let world: ControlWorld;
const stops: (() => void)[] = [];
beforeEach(async () => {
  world = await controlWorld();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await world.stop();
});

const kinds = async () => (await world.ledger.history()).map(({ kind }) => kind);
const moved = ({ status, body }: { status: number; body: unknown }): Moved => {
  expect([status, body]).toEqual([200, expect.anything()]);
  return body as Moved;
};
/** Walks to a phase by the front door. */
const walkTo = async (phase: 'syncing' | 'shadow' | 'canary') => {
  moved(await world.advance());
  if (phase === 'syncing') return;
  await world.verify();
  moved(await world.advance());
  if (phase === 'shadow') return;
  moved(await world.advance());
};
const subscribe = (name: string, onState: (state: RoutingState) => void | Promise<void>) => {
  const stopping = new AbortController();
  stops.push(() => stopping.abort());
  return {
    done: subscribeToState({ url: world.url, subscriber: name }).run(onState, stopping.signal),
    stopping,
  };
};
const until = async (what: () => boolean | Promise<boolean>) => {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await what()) return;
    await delay(10);
  }
  throw new Error('it did not come');
};

describe('an advance', () => {
  it('to a share that is set elsewhere is refused before anything is changed, and goes once it is set', async () => {
    await walkTo('shadow');
    const before = await kinds();
    let there = 0;
    Object.assign(world.flags, {
      maySet: async (flag: string, share: number) => {
        if (share !== there) throw shareSetInUnleash(flag, there, share);
      },
    });
    for (const dryRun of [true, false])
      expect(await world.advance({ dryRun })).toMatchObject({
        status: 409,
        body: { code: 'SHARE_SET_IN_UNLEASH', message: expect.stringContaining('set it to 10 % in Unleash') },
      });
    expect(await kinds()).toEqual(before);
    there = 10;
    expect(moved(await world.advance())).toMatchObject({ to: 'canary', shareTo: 10 });
    moved(await world.rollback());
    expect(await world.control.feed.refresh()).toMatchObject({
      migrations: { catalog: { phase: 'shadow', generation: 1 } },
    });
  });

  it('walks from legacy to the whole canary when every gate is met, each step in the ledger', async () => {
    await walkTo('canary');
    expect(await world.flags.share('strangler.catalog')).toBe(10);
    expect(moved(await world.advance())).toMatchObject({
      from: 'canary',
      to: 'canary',
      shareFrom: 10,
      shareTo: 50,
    });
    expect(moved(await world.advance({ why: 'looks good' }))).toMatchObject({ shareTo: 100 });
    expect(await world.flags.share('strangler.catalog')).toBe(100);
    expect(await kinds()).toEqual([
      'advanced',
      'verified',
      'advanced',
      'advanced',
      'share-changed',
      'share-changed',
    ]);
    const last = (await world.ledger.history()).at(-1) as LedgerEvent;
    expect(last).toMatchObject({
      by: 'ann',
      why: 'looks good',
      planRevision: world.plan.revision,
      shareTo: 100,
    });
    expect(last.gates.every(({ met }) => met)).toBe(true);
  });

  it('ends before the cutover, which is named', async () => {
    await walkTo('canary');
    moved(await world.advance());
    moved(await world.advance());
    const refused = await world.advance({ force: true, why: 'impatient' });
    expect([refused.status, refused.body]).toEqual([
      409,
      { code: 'TAKES_CUTOVER', message: expect.stringMatching(/use "strangler cutover catalog"/) },
    ]);
  });

  it('is refused by an unmet gate with the route, the count and a difference, and the refusal is kept', async () => {
    await walkTo('shadow');
    world.state.traffic = traffic({ routes: [mismatched('GET /api/products/:id', 2)] });
    await world.advance({ dryRun: true });
    await delay(20);
    const refused = await world.advance();
    expect(refused.status).toBe(409);
    const { code, message, gates } = refused.body as {
      code: string;
      message: string;
      gates: { gate: string }[];
    };
    expect(code).toBe('GATE_UNMET');
    expect(message).toMatch(/"GET \/api\/products\/:id" has 2 of 5.*\/price.*19\.99/);
    expect(gates.map(({ gate }) => gate)).toContain('lag');
    await world.advance();
    expect((await kinds()).filter((kind) => kind === 'refused')).toHaveLength(1);
    expect((await world.get('/v1/status')).body as Status).toMatchObject({
      migrations: [{ name: 'catalog', phase: 'shadow' }, { name: 'search' }],
    });
  });

  it('goes through an unmet gate by force, with who and why, and not without a reason', async () => {
    world.state.sync = syncOf({ state: 'stopped', problem: 'no binlog' });
    moved(await world.advance());
    expect((await world.advance({ force: true })).body).toMatchObject({ code: 'FORCE_NEEDS_REASON' });
    expect(moved(await world.advance({ force: true, why: 'a test system' })).forced).toBe(true);
    expect((await world.ledger.history()).at(-1)).toMatchObject({
      kind: 'forced',
      by: 'ann',
      why: 'a test system',
      gates: expect.arrayContaining([expect.objectContaining({ gate: 'backfill', met: false })]),
    });
  });

  it('says which program did not answer', async () => {
    await world.stopProxy();
    expect(((await world.advance()).body as { message: string }).message).toMatch(
      /proxy-answers: .*does not answer/,
    );
  });

  it('of two operators at once is one; the other gets a sentence', async () => {
    const both = await Promise.all([world.advance({ by: 'ann' }), world.advance({ by: 'bob' })]);
    expect(both.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409']);
    const lost = both.find(({ status }) => status === 409)?.body as unknown as {
      code: string;
      message: string;
    };
    expect(lost.code).toBe('LEDGER_CHANGED_MEANWHILE');
    expect(lost.message).toMatch(
      /was changed while this was decided \(advanced from "legacy" to "syncing" by "(ann|bob)"\)/,
    );
    expect(await kinds()).toEqual(['advanced']);
  });
});

describe('a rollback', () => {
  it('from the canary turns the flag off before it writes the phase', async () => {
    await walkTo('canary');
    const { steps, consequence } = moved(await world.rollback({ why: 'errors' }));
    expect(steps[0]).toBe('turned flag "strangler.catalog" off');
    expect(steps[1]).toMatch(/^wrote to the ledger: rolled back from "canary" at 10 % to "shadow"/);
    expect(consequence).toMatch(/^routing only/);
    expect(await world.flags.share('strangler.catalog')).toBe(0);
  });

  it('goes all the way down at once, one event a phase', async () => {
    await walkTo('canary');
    expect(moved(await world.rollback({ to: 'legacy' })).consequence).toMatch(/^drop of the copy/);
    expect((await world.ledger.history()).slice(-3).map(({ from, to }) => `${from} -> ${to}`)).toEqual([
      'canary -> shadow',
      'shadow -> syncing',
      'syncing -> legacy',
    ]);
  });

  it('wins against an advance that is under way', async () => {
    await walkTo('canary');
    const outcomes = await Promise.all([world.advance(), world.rollback({ by: 'bob' })]);
    expect(outcomes.map(({ status }) => status)).toEqual([409, 200]);
    expect((await world.get('/v1/state?after=0')).body).toMatchObject({
      migrations: { catalog: { phase: 'shadow' } },
    });
    expect(await world.flags.share('strangler.catalog')).toBe(0);
  });

  it('works when the flags cannot be read or written', async () => {
    await walkTo('canary');
    const broken = async () => {
      throw new Error('no such disk');
    };
    Object.assign(world.control.flags, { share: broken, setShare: broken });
    const { steps, to } = moved(await world.rollback());
    expect(to).toBe('shadow');
    expect(steps[0]).toMatch(/could not turn flag .*no such disk/);
    expect((await world.get('/v1/status')).body as Status).toMatchObject({ warnings: ['no such disk'] });
  });

  it('brings the clients of a canary back by the flag alone when the ledger is out of reach, and says so', async () => {
    await walkTo('canary');
    const down = async () => {
      throw ledgerFailed('db/ledger', new Error('connection refused'));
    };
    Object.assign(world.control.ledger, { history: down, append: down });
    expect((await world.rollback({ dryRun: true })).body).toMatchObject({ code: 'LEDGER_FAILED' });
    expect(await world.flags.share('strangler.catalog')).toBe(10);
    expect([(await world.rollback()).body, await world.flags.share('strangler.catalog')]).toEqual([
      { code: 'ROLLED_BACK_BY_FLAG_ONLY', message: expect.stringMatching(/repeat the rollback/) },
      0,
    ]);
  });

  it('asks neither proxy nor sync for evidence: it must not wait for what may be broken', async () => {
    await walkTo('canary');
    world.state.asked.length = 0;
    moved(await world.rollback());
    expect(world.state.asked).toEqual([]);
  });
});

describe('a dry run', () => {
  /** What a step is about, said or done. */
  const subjectsOf = (steps: readonly string[]) =>
    steps.map((step) =>
      /ledger/.test(step)
        ? 'ledger'
        : /turn.* flag/.test(step)
          ? 'off'
          : /set flag/.test(step)
            ? 'flag'
            : /in force|connected|subscribers/.test(step) && !/%/.test(step)
              ? 'subscribers'
              : 'share',
    );

  it('says the steps that are then done, in the same order, and changes nothing', async () => {
    const walk = [
      () => world.advance.bind(world),
      () => world.advance.bind(world),
      () => world.advance.bind(world),
      () => world.advance.bind(world),
      () => (wish: object) => world.advance({ share: 10, ...wish }),
      () => world.rollback.bind(world),
      () => (wish: object) => world.rollback({ to: 'legacy', ...wish }),
    ];
    for (const [index, action] of walk.entries()) {
      if (index === 1) await world.verify();
      const before = [await world.ledger.size(), world.flags.features()];
      const said = moved(await action()({ dryRun: true }));
      expect([await world.ledger.size(), world.flags.features()]).toEqual(before);
      const done = moved(await action()({}));
      expect([said.dryRun, done.dryRun]).toEqual([true, false]);
      expect(subjectsOf(said.steps)).toEqual(subjectsOf(done.steps));
      for (const step of said.steps) expect(step).toMatch(/^would /);
      expect({ ...said, dryRun: false, steps: [], gates: [] }).toEqual({ ...done, steps: [], gates: [] });
    }
  });
});

describe('a verification', () => {
  it('is asked of sync as JSON, written to the ledger and handed on', async () => {
    moved(await world.advance());
    const answer = await world.verify();
    expect(answer.body).toMatchObject({ clean: true, rowsVerified: 2_000, tables: [{ from: 'product' }] });
    expect(world.state.asked.at(-1)).toEqual({
      method: 'POST',
      path: '/migrations/catalog/verify',
      type: 'application/json',
    });
    expect((await world.ledger.history()).at(-1)).toMatchObject({
      kind: 'verified',
      verification: { clean: true, rowsVerified: 2_000 },
    });
  });

  it('with drift is a result, not a failure', async () => {
    moved(await world.advance());
    world.state.verification = verification({ clean: false, driftRows: 3 });
    expect([(await world.verify()).status, await kinds()]).toEqual([200, ['advanced', 'verified']]);
    expect(((await world.advance()).body as { message: string }).message).toMatch(/3 rows differ/);
  });

  it("passes on sync's refusal, and says when a migration has nothing to verify", async () => {
    world.state.verifyAnswer = {
      status: 409,
      body: { code: 'NOT_SYNCING', message: 'migration "catalog" is not syncing' },
    };
    expect([(await world.verify()).status, (await world.verify()).body]).toEqual([
      409,
      { code: 'NOT_SYNCING', message: 'migration "catalog" is not syncing' },
    ]);
    expect((await world.post('/v1/migrations/search/verify', { by: 'ann' })).body).toMatchObject({
      code: 'MIGRATION_WITHOUT_DATA',
    });
  });
});

describe('the routing state', () => {
  it('is given at once to a subscriber that has none, and held until there is a newer one', async () => {
    const seen: number[] = [];
    subscribe('proxy-1', ({ version }) => void seen.push(version));
    await until(() => seen.length === 1);
    const before = performance.now();
    moved(await world.advance());
    await until(() => seen.length === 2);
    expect(seen).toEqual([1, 2]);
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it('counts as in force when the subscriber asks again, and the move waits for that', async () => {
    let release = () => {};
    const held = new Promise<void>((done) => (release = done));
    const inForce: number[] = [];
    subscribe('slow', async ({ version }) => {
      if (version === 2) await held;
      inForce.push(version);
    });
    await until(() => inForce.length === 1);
    const advancing = world.advance();
    await until(async () => (await world.ledger.size()) === 1);
    const status = (await world.get('/v1/status')).body as Status;
    expect(status.subscribers).toEqual([expect.objectContaining({ name: 'slow', acknowledged: 1 })]);
    release();
    expect(moved(await advancing).steps.at(-1)).toBe('all 1 subscribers have the new phase in force');
  });

  it('names who has not followed after five seconds, and has moved all the same', async () => {
    const stuck = new Promise<void>((done) => stops.push(done));
    let calls = 0;
    subscribe('stuck', async () => {
      if (++calls > 1) await stuck;
    });
    await until(() => calls === 1);
    const { steps, to } = moved(await world.advance());
    expect(to).toBe('syncing');
    expect(steps.at(-1)).toMatch(/still without the new phase: "stuck"/);
  });

  it('forgets a subscriber that hung up', async () => {
    let calls = 0;
    const gone = subscribe('gone', () => void calls++);
    await until(() => calls === 1);
    await until(async () => ((await world.get('/v1/status')).body as Status).subscribers.length === 1);
    gone.stopping.abort();
    await gone.done;
    await until(async () => ((await world.get('/v1/status')).body as Status).subscribers.length === 0);
    expect(moved(await world.advance()).steps.at(-1)).toMatch(/no proxy or sync is connected/);
  });

  it('shows what another control plane has written', async () => {
    const seen: number[] = [];
    subscribe('proxy-1', ({ version }) => void seen.push(version));
    await until(() => seen.length === 1);
    const [first] = await world.control.ledger.append('search', 0, [
      {
        kind: 'advanced',
        from: 'legacy',
        to: 'syncing',
        shareFrom: null,
        shareTo: null,
        by: 'elsewhere',
        why: null,
        gates: [],
        verification: null,
        counters: null,
        planRevision: 'x',
      },
    ]);
    expect(first?.sequence).toBe(1);
    await until(() => seen.length === 2);
  });

  it('refuses a version that is none', async () => {
    expect((await world.get('/v1/state?after=-1')).status).toBe(400);
    expect((await world.get('/v1/state?after=x')).status).toBe(400);
  });
});

describe('the door', () => {
  it('is closed to names that are not of this machine', async () => {
    const get = (host: string) =>
      rawStatus(world.url, `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close`);
    expect(await get('evil.test')).toBe(403);
    expect(await get('127.0.0.1.evil.test')).toBe(403);
    expect(await get('localhost:7072')).toBe(200);
    expect(await get('[::1]')).toBe(200);
  });

  it('takes no form of a web page for an order', async () => {
    const response = await fetch(`${world.url}/v1/migrations/catalog/advance`, {
      method: 'POST',
      body: new URLSearchParams({ by: 'eve' }),
    });
    expect(response.status).toBe(415);
    expect(await world.ledger.size()).toBe(0);
  });

  it.each([
    ['a field that is not known', { by: 'ann', colour: 'red' }, /colour/],
    ['no name', {}, /by/],
    ['a phase that is none', { by: 'ann', to: 'moon' }, /to/],
    ['a share that is none', { by: 'ann', share: 0 }, /share/],
    ['a name that moves the terminal', { by: 'ann\u001b[2J' }, /control characters/],
  ])('refuses %s', async (_what, body, message) => {
    const { status, body: answer } = await world.post('/v1/migrations/catalog/advance', body);
    expect([status, answer]).toEqual([
      400,
      { code: 'INPUT_INVALID', message: expect.stringMatching(message) },
    ]);
  });

  it('answers bad JSON, unknown migrations and unknown paths with a code and a sentence', async () => {
    const bad = await fetch(`${world.url}/v1/migrations/catalog/advance`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect([bad.status, await bad.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'REQUEST_REFUSED' }),
    ]);
    expect((await world.post('/v1/migrations/nothing/advance', { by: 'ann' })).body).toEqual({
      code: 'MIGRATION_UNKNOWN',
      message: 'migration "nothing" is not in the plan: known are "catalog", "search"',
    });
    expect((await world.post('/v1/migrations/constructor/advance', { by: 'ann' })).status).toBe(404);
    expect((await world.get('/nowhere')).body).toMatchObject({ code: 'REQUEST_REFUSED' });
  });
});

describe('the report', () => {
  it('comes in three formats from one model', async () => {
    await walkTo('canary');
    const json = (await world.get('/v1/report.json')).body as Report;
    expect(json.migrations[0]).toMatchObject({ name: 'catalog', phase: 'canary', owner: 'team catalog' });
    const [html, markdown] = [await world.get('/v1/report.html'), await world.get('/v1/report.md')];
    for (const text of [html.text, markdown.text]) {
      expect(text).toContain('team catalog');
      expect(text).toContain('advanced from');
    }
    expect(html.text).toMatch(/^<!doctype html>/);
  });

  it('is given without proxy and says so', async () => {
    await world.stopProxy();
    const report = (await world.get('/v1/report.json')).body as Report;
    expect(report.programs[0]).toMatchObject({ name: 'proxy', ok: false });
    expect((await world.get('/v1/report.html')).text).toContain('No evidence from proxy');
  });
});
