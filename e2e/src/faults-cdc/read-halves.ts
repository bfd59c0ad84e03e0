import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { open, rowsOf, type Stand } from './stand.js';

const BETWEEN_LOOKS_MS = 25;

/** What a reader of the target has seen: how often it has looked at a whole copy, and sums that no source transaction leaves. */
export type Looks = { readonly looks: number; readonly halves: readonly string[] };

/** One statement sees one moment of the target. It counts only when every table is copied. */
export const lookAt = async (
  connection: Connection,
  control: string,
): Promise<{ readonly isCopied: boolean; readonly half: string | undefined }> => {
  const [row] = await rowsOf(
    connection,
    `SELECT (SELECT COUNT(*) FROM ${control}.backfill_progress WHERE done = 1) done,
            (SELECT COALESCE(SUM(amount), 0) FROM holder) + (SELECT COALESCE(SUM(amount), 0) FROM safe) total, (SELECT COUNT(*) FROM posting) postings`,
  );
  const [done, total, postings] = [row?.['done'], row?.['total'], row?.['postings']].map(Number);
  const isWhole = total === 0 && (postings ?? 0) % 2 === 0;
  return {
    isCopied: done === 3,
    half: isWhole ? undefined : `the amounts sum up to ${total} and there are ${postings} postings`,
  };
};

/** Looks at the target until it is told to end, whatever happens to the server meanwhile. */
export async function readHalves(stand: Stand, isEnded: () => boolean): Promise<Looks> {
  let connection: Connection | undefined;
  let looks = 0;
  const halves: string[] = [];
  while (!isEnded()) {
    try {
      connection ??= await open(stand.targetUrl);
      const { isCopied, half } = await lookAt(connection, stand.control);
      if (isCopied) looks++;
      if (isCopied && half !== undefined) halves.push(half);
    } catch {
      // The tables of sync are not there yet, or the server is away.
      connection?.destroy();
      connection = undefined;
    }
    await delay(BETWEEN_LOOKS_MS);
  }
  connection?.destroy();
  return { looks, halves };
}
