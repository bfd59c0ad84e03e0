import { Agent, request } from 'node:http';
import { NOT_DONE } from './apps/answer.js';
import type { Outcome } from './history.js';

export type Sent = {
  readonly outcome: Outcome;
  readonly status: number;
  readonly told: string;
  readonly body: Readonly<Record<string, unknown>>;
};

/** Answers of the proxy of which it is sure that nothing was done. */
const NEVER_DONE = [
  'PROXY_UPSTREAM_REFUSED',
  'PROXY_CONNECT_TIMEOUT',
  'PROXY_OVERLOADED',
  'PROXY_UPSTREAM_FULL',
  'PROXY_HOLD_FULL',
  'PROXY_HOLD_TIMEOUT',
  'PROXY_STOPPING',
  'PROXY_WRITE_LATE',
  // The service's guard has said that nothing was done.
  'PROXY_STALE_EPOCH',
] as const;
const REFUSALS: ReadonlySet<string> = new Set([...NOT_DONE, ...NEVER_DONE]);

export type Sender = {
  send(method: string, url: string, body?: object): Promise<Sent>;
  close(): void;
};

/** A client that keeps its connections and never sends a request twice. What it does not know for certain is `unknown`. */
export function openSender(timeoutMs: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  return {
    send: (method, url, body) =>
      new Promise((done) => {
        const text = body === undefined ? undefined : JSON.stringify(body);
        let hasSocket = false;
        const lost = (told: string, outcome: Outcome) => done({ outcome, status: 0, told, body: {} });
        const asking = request(
          url,
          {
            method,
            agent,
            headers:
              text === undefined
                ? {}
                : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
          },
          (answer) => {
            const chunks: Buffer[] = [];
            answer.on('data', (chunk: Buffer) => chunks.push(chunk));
            answer.once('error', (error) => lost(String(error), 'unknown'));
            answer.once('aborted', () => lost('the answer was cut', 'unknown'));
            answer.once('end', () => done(judge(answer.statusCode ?? 0, Buffer.concat(chunks).toString())));
          },
        );
        asking.once('socket', (socket) => {
          if (socket.connecting) socket.once('connect', () => (hasSocket = true));
          else hasSocket = true;
        });
        asking.setTimeout(timeoutMs, () => {
          lost(`no answer within ${timeoutMs} ms`, hasSocket ? 'unknown' : 'refused');
          asking.destroy();
        });
        // Before it is connected nothing of it has left us.
        asking.once('error', (error) => lost(String(error), hasSocket ? 'unknown' : 'refused'));
        asking.end(text);
      }),
    close: () => agent.destroy(),
  };
}

export function judge(status: number, text: string): Sent {
  let body: Readonly<Record<string, unknown>> = {};
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    // Not from the application, and not a refusal that we know.
  }
  const code = typeof body['code'] === 'string' ? body['code'] : '';
  const told = `${status}${code === '' ? '' : ` ${code}`}`;
  const outcome = status >= 200 && status < 300 ? 'ok' : REFUSALS.has(code) ? 'refused' : 'unknown';
  return { outcome, status, told, body };
}
