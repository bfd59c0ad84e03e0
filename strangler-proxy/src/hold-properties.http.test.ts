import * as fc from 'fast-check';
import { afterEach, expect, it } from '@jest/globals';
import { otherSide, type Side as Name, SIDES } from '@strangler/contracts';
import { type At, type CutoverRig, cutoverRig } from './cutover.fixture.js';
import { createRig } from './proxy.fixture.js';

const rig = createRig();
afterEach(rig.clean);

const RUNS = { numRuns: 25, endOnFailure: true };
const METHODS = ['POST', 'PUT', 'DELETE'] as const;

/** What may happen, in any order. */
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write'), method: fc.constantFrom(...METHODS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer'), isReset: fc.boolean(), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave'), at: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('end'), commits: fc.boolean(), isLate: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('turn') }) },
);
type Action = typeof action extends fc.Arbitrary<infer Of> ? Of : never;

type Sent = {
  readonly id: number;
  readonly leave: () => void;
  outcome: string | undefined;
  done: Promise<void>;
};

/** What a client was told has to be what has happened. */
function mayBe(outcome: string | undefined, reached: readonly Name[]): boolean {
  if (outcome === 'legacy' || outcome === 'service') return reached.join() === outcome;
  if (outcome === '502 PROXY_UPSTREAM_RESET' || outcome === '503 PROXY_WRITE_UNKNOWN')
    return reached.length === 1;
  if (outcome === 'left') return reached.length <= 1;
  return outcome?.startsWith('503 ') === true && reached.length === 0;
}

/** A cutover as the coordinator has it: a side is left only when the proxy has acknowledged that it holds. */
function drive(proxy: CutoverRig) {
  const sides = { legacy: proxy.legacy, service: proxy.service };
  const sent: Sent[] = [];
  const problems: string[] = [];
  let authority: Name = 'legacy';
  let epoch = 0;
  let acknowledged: Promise<void> | undefined;
  /** Of all writes that were begun while they are held. */
  let firstHeld = 0;
  /** Writes that the side which is left had got when the acknowledgement came. */
  let sealed: number | undefined;
  let hasLeft = false;

  const writesAt = (name: Name) => sides[name].begun.filter(({ method }) => method !== 'GET');
  const idsAt = (name: Name) => writesAt(name).map(({ url }) => Number(url?.split('/').at(-1)));
  const put = (hold?: true) => {
    const at: At = { phase: authority === 'legacy' ? 'canary' : 'extracted', epoch, ...(hold && { hold }) };
    return proxy.put(at);
  };
  const answerAll = () => {
    for (const side of Object.values(sides)) for (const one of side.arrived) one.answer();
  };
  const write = (method: string) => {
    const id = sent.length;
    const leaving = new AbortController();
    const one: Sent = { id, leave: () => leaving.abort(), outcome: undefined, done: Promise.resolve() };
    one.done = proxy
      .send(method, `/items/${id}`, { body: `body ${id}`, signal: leaving.signal })
      .then(({ status, text }) => void (one.outcome = status === 200 ? text : `${status} ${text}`))
      .catch(() => void (one.outcome = 'left'));
    sent.push(one);
  };
  const hold = () => {
    if (acknowledged) return;
    epoch++;
    firstHeld = sent.length;
    acknowledged = put(true).then(() => void (sealed = writesAt(authority).length));
  };
  const end = async (commits: boolean, isLate: boolean) => {
    if (!acknowledged) return;
    if (isLate) proxy.fire('drain');
    else {
      answerAll();
      sides[authority].isWaiting = false;
    }
    await acknowledged;
    await proxy.evidence();
    // Of those that were sent before, some may be on their way to it still: nobody waited for them, or their client has left.
    const arrived = writesAt(authority).length;
    if (!isLate && !hasLeft && arrived !== sealed)
      problems.push(`${authority} got ${arrived} writes, of ${sealed} before the acknowledgement`);
    for (const id of idsAt(authority))
      if (id >= firstHeld) problems.push(`${authority} got write ${id}, which was held`);
    sides[authority].isWaiting = true;
    acknowledged = undefined;
    if (commits) authority = otherSide(authority);
    await put();
  };

  return {
    async act(next: Action): Promise<void> {
      switch (next.do) {
        case 'write':
          return write((next as { method: string }).method);
        case 'read':
          return void proxy.send('GET', '/items/1').catch(() => {});
        case 'answer': {
          const { at, isReset } = next as { at: number; isReset: boolean };
          const all = Object.values(sides).flatMap(({ arrived }) => arrived);
          return all.at(at % (all.length || 1))?.answer(isReset ? (to) => to.destroy() : undefined);
        }
        case 'leave':
          hasLeft = true;
          return sent.at((next as { at: number }).at % (sent.length || 1))?.leave();
        case 'hold':
          return hold();
        case 'end':
          return end((next as { commits: boolean }).commits, (next as { isLate: boolean }).isLate);
        default:
          return void (await proxy.evidence());
      }
    },
    /** Lets everything come to its end, and looks what became of each write. */
    async finish(): Promise<readonly string[]> {
      await end(true, false);
      for (const side of Object.values(sides)) side.isWaiting = false;
      answerAll();
      await Promise.all(sent.map(({ done }) => done));
      for (const { id, outcome } of sent) {
        const reached = SIDES.flatMap((name) => idsAt(name).flatMap((each) => (each === id ? [name] : [])));
        if (!mayBe(outcome, reached))
          problems.push(`write ${id} ended with "${outcome}" and reached [${reached.join()}]`);
      }
      const { held } = (await proxy.inFlight(0)) ?? {};
      if (held !== 0) problems.push(`${held} are held for ever`);
      return problems;
    },
  };
}

it('every write reaches one side, once, or none and is refused; none the old side once that was acknowledged', async () => {
  await fc.assert(
    fc
      .asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        const proxy = await cutoverRig(rig);
        proxy.legacy.isWaiting = true;
        proxy.service.isWaiting = true;
        const driven = drive(proxy);
        for (const next of actions) await driven.act(next);
        expect(await driven.finish()).toEqual([]);
      })
      .afterEach(rig.clean),
    RUNS,
  );
});
