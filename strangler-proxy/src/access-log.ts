import { openSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import type { AccessLogPlan, Plan } from '@strangler/contracts';

/** Where the lines of requests go. */
export type AccessLog = {
  /** Asked before a line is made: the log level can change. */
  readonly isOn: () => boolean;
  /** Of pino, for the line. */
  readonly level: number;
  readonly address: Exclude<AccessLogPlan, boolean>['address'];
  write(line: string): void;
  /** Resolves when everything has been written. */
  stop(): Promise<void>;
};

// A line for each request must not be a call of the system for each request. What may be as long as a pipe takes in one piece
// (PIPE_BUF) is never torn by another line of the same process.
const TO_A_PIPE = { minLength: 3_072, maxWrite: 4_096 };
const TO_A_FILE = { minLength: 32_768, maxWrite: 65_536 };
const FLUSH_MS = 100;
const MOST_LINES = 64;
const STANDARD_OUTPUT = 1;

/** By the plan: to standard output or a file, never, or, when it says nothing, into the log while that is at the level debug. */
export function openAccessLog({ proxy, folder }: Pick<Plan, 'proxy' | 'folder'>, log: Logger): AccessLog {
  const { accessLog } = proxy;
  const nothing = { level: 20, address: 'masked', async stop() {} } as const;
  if (accessLog === undefined) {
    // The stream of the log and not the log: the line is a text already.
    const stream = (log as unknown as Record<symbol, { write(line: string): void }>)[pino.symbols.streamSym];
    const lines = together((text) => stream?.write(text));
    return {
      ...nothing,
      isOn: () => log.isLevelEnabled('debug'),
      write: lines.write,
      stop: async () => lines.flush(),
    };
  }
  if (accessLog === false) return { ...nothing, isOn: () => false, write() {} };
  const { file, address } = accessLog === true ? { file: undefined, address: 'masked' as const } : accessLog;
  const fd = file === undefined ? STANDARD_OUTPUT : opened(resolve(folder, file), log);
  if (fd === undefined) return { ...nothing, isOn: () => false, write() {} };
  const destination = pino.destination({
    dest: fd,
    ...(file === undefined ? TO_A_PIPE : TO_A_FILE),
    sync: false,
    periodicFlush: FLUSH_MS,
  });
  // To a pipe line by line: together they would be longer than what it takes in one piece.
  const lines = file === undefined ? undefined : together((text) => void destination.write(text));
  // A full disk must not take the proxy along: lines are lost, requests are not.
  destination.on('error', (error: unknown) => tell(log, error));
  return {
    isOn: () => true,
    level: 30,
    address,
    write: lines?.write ?? ((line) => void destination.write(line)),
    stop: () =>
      new Promise((done) => {
        if (file === undefined) return destination.flush(() => done());
        lines?.flush();
        destination.once('close', () => done()).once('error', () => done());
        destination.end();
      }),
  };
}

/** Lines go on in one piece, 64 of them or after 100 ms: with each piece pino's destination counts the bytes of all that wait. */
function together(write: (text: string) => void): {
  readonly write: (line: string) => void;
  readonly flush: () => void;
} {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length > 0) write(waiting.join(''));
    waiting = [];
  };
  return {
    write(line) {
      waiting.push(line);
      if (waiting.length >= MOST_LINES) flush();
      else timer ??= setTimeout(flush, FLUSH_MS).unref();
    },
    flush,
  };
}

/** Opened here, since a destination of pino that could not be opened throws when the process ends. */
function opened(file: string, log: Logger): number | undefined {
  try {
    return openSync(file, 'a');
  } catch (error) {
    tell(log, error);
    return undefined;
  }
}

const tell = (log: Logger, error: unknown): void =>
  log.warn({ err: error }, 'the access log cannot be written');
