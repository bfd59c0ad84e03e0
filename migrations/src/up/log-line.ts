const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};
const SHOWN_APART = new Set(['level', 'time', 'pid', 'hostname', 'program', 'name', 'msg']);

/** Programs are called by what they are: `strangler-proxy` is `proxy`. */
export const shortName = (program: string): string => program.replace(/^strangler-/, '');

const NAME_WIDTH = 'control'.length;
const clock = (time: number) => new Date(time).toISOString().slice(11, 23);

export const sayLine = (program: string, level: string, time: number, sentence: string): string =>
  `${clock(time)} ${shortName(program).padEnd(NAME_WIDTH)} ${level.padEnd(5)} ${sentence}`;

const valueText = (value: unknown): string =>
  typeof value === 'string' && !/[\s"]/.test(value) ? value : JSON.stringify(value);

/** One line of a program's log for a person: time, program, level, sentence, then the fields; an error's stack below. */
export function logLine(program: string, line: string, now: number): string {
  let entry: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(line);
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) throw new Error('no entry');
    entry = parsed as Record<string, unknown>;
  } catch {
    return sayLine(program, '', now, line);
  }
  const fields = Object.entries(entry).filter(([name]) => !SHOWN_APART.has(name) && name !== 'err');
  const stack = (entry['err'] as { stack?: unknown } | undefined)?.stack;
  const text = [
    typeof entry['msg'] === 'string' ? entry['msg'] : '',
    ...fields.map(([name, value]) => `${name}=${valueText(value)}`),
  ]
    .filter((part) => part !== '')
    .join(' ');
  const time = typeof entry['time'] === 'number' ? entry['time'] : now;
  return `${sayLine(program, LEVELS[Number(entry['level'])] ?? '', time, text)}${typeof stack === 'string' ? `\n${stack.replaceAll(/^/gm, '    ')}` : ''}`;
}
