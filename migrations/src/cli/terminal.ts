/** Where a command writes, and what it may ask of its surroundings. */
export type Terminal = {
  /** What the command was asked for. */
  out(text: string): void;
  /** Progress and complaints. */
  err(text: string): void;
  /** Whether a person watches `err`, so that a line may be drawn over. */
  readonly interactive: boolean;
};

export function processTerminal(): Terminal {
  // A reader that has had enough (`| head`) is no failure of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stderr.isTTY,
  };
}

/** Text for a terminal: what came from elsewhere must not move its cursor or change its title. */
export const printable = (text: string): string =>
  text.replace(
    /[^\P{Cc}\n\t]/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );

/** Columns padded to the widest of each, two spaces between, nothing behind the last. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
