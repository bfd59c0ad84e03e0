import type { Logger } from 'pino';
import type { LineWriter } from '@strangler/contracts';
import { redactTarget } from './redact.js';

/** What the access log says of a request that is over. */
export type AccessLine = {
  readonly method: string;
  readonly target: string;
  readonly route: string;
  readonly upstream: string;
  readonly shadow: boolean;
  readonly client: string | undefined;
  readonly by: string;
  readonly status: number | null;
  readonly seconds: number;
};

export type AccessLog = {
  isOn(): boolean;
  write(line: AccessLine, reason: string): void;
  /** Writes what waits. */
  flush(): void;
};

const DEBUG = 20;
const MOST_LINES = 64;
const LONGEST_WAIT_MS = 100;

/**
 * A line for each request, at level `debug`. With a writer the text is put together here, in the same fields as pino's: pino's way
 * over objects costs more than the whole decision. Lines wait for each other, 64 of them or 100 ms.
 */
export function createAccessLog(log: Logger, writer?: LineWriter): AccessLog {
  const isOn = () => log.isLevelEnabled('debug');
  if (!writer)
    return {
      isOn,
      write: ({ target, ...line }, reason) => log.debug({ ...line, target: redactTarget(target) }, reason),
      flush() {},
    };
  const origin = `,${JSON.stringify(writer.base).slice(1, -1)},"method":"`;
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length > 0) writer.write(lines.join(''));
    lines = [];
  };
  return {
    isOn,
    flush,
    write({ method, target, route, upstream, shadow, client, by, status, seconds }, reason) {
      const known = client === undefined ? '' : `,"client":"${client}"`;
      lines.push(
        `{"level":${DEBUG},"time":${Date.now()}${origin}${method}","target":${quoted(redactTarget(target))},` +
          `"route":${quoted(route)},"upstream":${quoted(upstream)},"shadow":${shadow}${known},"by":"${by}",` +
          `"status":${status},"seconds":${micro(seconds)},"msg":${quoted(reason)}}\n`,
      );
      if (lines.length >= MOST_LINES) flush();
      else timer ??= setTimeout(flush, LONGEST_WAIT_MS).unref();
    },
  };
}

// oxlint-disable-next-line no-control-regex -- JSON escapes exactly these, and lone surrogates
const ESCAPED = /["\\\u0000-\u001f\u007f-\uffff]/;

/** To the microsecond: what lies below is noise, and sixteen digits to write. */
const micro = (seconds: number): number => Math.round(seconds * 1_000_000) / 1_000_000;

const quoted = (text: string): string => (ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`);
