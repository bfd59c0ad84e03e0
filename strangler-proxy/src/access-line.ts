import type { AccessLogPlan } from '@strangler/contracts';
import { isIP } from 'node:net';

/** One request as the access log tells it. Nothing in it is secret: the target is redacted, the address masked before. */
export type AccessEntry = {
  /** Of pino: 30, or 20 when only the log level asks for the line. */
  readonly level: number;
  /** The end of the answer, in milliseconds since 1970. */
  readonly time: number;
  readonly requestId: string;
  readonly traceId: string | undefined;
  readonly method: string;
  readonly target: string;
  /** The pattern of the plan, or "other". */
  readonly route: string;
  /** Where the decision sent it; undefined when it was refused before. */
  readonly upstream: string | undefined;
  readonly shadow: boolean;
  /** What the client was told apart by, when that was asked. */
  readonly client: 'user' | 'anonymous' | undefined;
  readonly address: string | undefined;
  /** Who answered. */
  readonly by: 'legacy' | 'service' | 'fallback' | 'proxy';
  /** null: the client left, or the answer was cut. */
  readonly status: number | null;
  /** Of the body as it went to the client; null when nobody counted them. */
  readonly bytes: number | null;
  readonly seconds: number;
  /** One sentence: of the decision, or the code of the refusal. */
  readonly reason: string;
};

const LONGEST_TARGET = 2_048;

/** A line of JSON in the form of pino's, the sentence in `msg`. Put together here: JSON.stringify of an object takes as long as the decision. */
export function accessLine(entry: AccessEntry): string {
  const { level, time, requestId, traceId, method, route, upstream, shadow, client, address, by } = entry;
  const { target, status, bytes, seconds, reason } = entry;
  const shown = target.length > LONGEST_TARGET ? `${target.slice(0, LONGEST_TARGET)}…` : target;
  const text =
    `{"level":${level},"time":${time},"requestId":${quoted(requestId)}${optional('traceId', traceId)},"method":${quoted(method)},` +
    `"route":${quoted(route)}${optional('upstream', upstream)},"shadow":${shadow}${optional('client', client)}`;
  return (
    `${text}${optional('address', address)},"by":"${by}","status":${status},"bytes":${bytes},` +
    `"seconds":${micro(seconds)},"target":${quoted(shown)},"msg":${quoted(reason)}}\n`
  );
}

// oxlint-disable-next-line no-control-regex -- JSON escapes exactly these, and lone surrogates
const ESCAPED = /["\\\u0000-\u001f\u007f-\uffff]/;
const quoted = (text: string): string => (ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`);
const optional = (key: string, text: string | undefined): string =>
  text === undefined ? '' : `,"${key}":${quoted(text)}`;
/** To the microsecond: what lies below is noise, and sixteen digits to write. Whole numbers are written faster than fractions. */
function micro(seconds: number): string {
  const whole = Math.round(seconds * 1_000_000);
  if (!(whole >= 0 && whole < 1_000_000_000)) return String(whole / 1_000_000);
  const rest = whole % 1_000_000;
  const text = String((whole - rest) / 1_000_000);
  return rest === 0 ? text : `${text}.${String(1_000_000 + rest).slice(1)}`;
}

/** The network of an address, /24 or /48: enough to see where load comes from, not who. */
export function maskedAddress(
  address: string,
  how: Exclude<AccessLogPlan, boolean>['address'],
): string | undefined {
  if (how === 'none' || address === '') return undefined;
  if (how === 'full') return address;
  // The requests of a connection come from the same one, and so do all behind the same proxy.
  if (address !== lastAddress) [lastAddress, lastNetwork] = [address, networkOf(address)];
  return lastNetwork;
}

let lastAddress = '';
let lastNetwork: string | undefined;

function networkOf(address: string): string | undefined {
  if (isIP(address) === 4) return address.replace(/\d+$/, '0');
  if (isIP(address) !== 6) return undefined;
  // Three groups are kept; the zeros that "::" stands for are not written.
  const groups = (address.split('::')[0] ?? '').split(':').slice(0, 3);
  return `${groups.join(':').replace(/(?:(?:^|:)0*)+$/, '')}::`;
}
