import { setTimeout as delay } from 'node:timers/promises';
import type { Row } from '@strangler/contracts';
import type { Connection } from 'mysql2/promise';
import { compareRow, type Difference, targetKeyText } from './compare-rows.js';
import { expectedRows } from './expected-rows.js';
import type { MappedRow } from './map.js';
import type { Flow } from './flow.js';
import { readSource, readTarget } from './read-pair.js';
import type { TablePair } from './table-pair.js';

/** A key counts as drifted after this many looks at a moment when the log did not touch it. */
const TRIES = 5;
/** Looks at keys that are written without a pause; then they are left out of what is compared. */
const HOT_TRIES = 40;

export type Verdict = {
  readonly key: Row;
  readonly differences: readonly Difference[];
  readonly mapped?: MappedRow;
};

export type Looked = {
  readonly pair: TablePair;
  readonly source: Connection;
  readonly target: Connection;
  readonly flow: Pick<Flow, 'reach' | 'watch'>;
};

/** Both sides of the keys as they are at this moment. */
export async function lookOnce(
  { pair, source, target }: Omit<Looked, 'flow'>,
  keys: readonly Row[],
  between: () => Promise<void> = async () => {},
): Promise<readonly Verdict[]> {
  const sources = await readSource(source, pair, keys);
  const expected = await expectedRows(source, pair, sources);
  const rows = new Map(sources.map((row) => [targetKeyText(pair, pair.map.keyOf(row)), row]));
  await between();
  const found = await readTarget(target, pair, keys);
  return keys.map((key) => {
    const row = rows.get(targetKeyText(pair, key));
    const mapped = row && expected(row);
    return { key, differences: compareRow(pair, mapped, found(key)), ...(mapped ? { mapped } : {}) };
  });
}

/** Looks at the keys until each is equal, or has differed five times while the log left it alone. One that is never left alone has no verdict. */
export async function lookAgain(
  context: Looked,
  keys: readonly Row[],
  signal: AbortSignal,
): Promise<readonly Verdict[]> {
  const { pair, flow } = context;
  const verdicts: Verdict[] = [];
  let open = keys.map((key) => ({
    key,
    text: targetKeyText(pair, key),
    quiet: 0,
    verdict: { key, differences: [] } as Verdict,
  }));
  for (let attempt = 0; open.length > 0 && attempt < HOT_TRIES; attempt++) {
    const touched = new Set<string>();
    const watched = new Set(open.map(({ text }) => text));
    const unwatch = flow.watch((table, key) => {
      if (table !== pair.name) return;
      const text = key && targetKeyText(pair, key);
      if (text === null) watched.forEach((each) => touched.add(each));
      else if (watched.has(text)) touched.add(text);
    });
    try {
      await flow.reach(signal);
      const looked = await lookOnce(
        context,
        open.map(({ key }) => key),
        () => flow.reach(signal),
      );
      await flow.reach(signal);
      for (const [index, item] of open.entries()) {
        const verdict = looked[index] as Verdict;
        const isEqual = verdict.differences.length === 0;
        // What the log wrote between the two reads explains any difference; such a look says nothing.
        if (!isEqual && touched.has(item.text)) continue;
        item.quiet = isEqual ? TRIES : item.quiet + 1;
        item.verdict = verdict;
      }
    } finally {
      unwatch();
    }
    verdicts.push(...open.filter(({ quiet }) => quiet >= TRIES).map(({ verdict }) => verdict));
    open = open.filter(({ quiet }) => quiet < TRIES);
    // An event can be in the log a moment before another connection sees its row.
    if (open.length > 0) await delay(20 * Math.min(attempt + 1, 10), undefined, { signal });
  }
  // One that differed in every quiet look is drift.
  return [...verdicts, ...open.filter(({ quiet }) => quiet > 0).map(({ verdict }) => verdict)];
}
