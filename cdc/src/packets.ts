/** Far below the smallest usual max_allowed_packet; a single row may be larger. */
const LETTERS_A_PACKET = 1_000_000;
const ROWS_A_PACKET = 5_000;

/** Does one after the other, and makes the next while one is being done. */
export async function inTurn<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let working: Promise<void> | undefined;
  for (const item of items) {
    await working;
    working = work(item);
    // It is awaited when the next one is made.
    working.catch(() => {});
  }
  await working;
}

/** Rows printed and joined to texts of bounded length, each with the number of its rows. */
export function* packets<Item>(
  items: Iterable<Item>,
  print: (item: Item) => string,
  separator: string,
): Generator<{ readonly text: string; readonly count: number }> {
  let [text, count] = ['', 0];
  for (const item of items) {
    const part = print(item);
    if (count > 0 && (text.length + part.length > LETTERS_A_PACKET || count === ROWS_A_PACKET)) {
      yield { text, count };
      [text, count] = ['', 0];
    }
    text = count === 0 ? part : `${text}${separator}${part}`;
    count++;
  }
  if (count > 0) yield { text, count };
}
