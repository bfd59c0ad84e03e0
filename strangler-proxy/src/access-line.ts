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

/** A line of JSON in the form of pino's, the sentence in `msg`. */
export const accessLine = ({ reason, target, ...fields }: AccessEntry): string =>
  `${JSON.stringify({ ...fields, target: target.length > LONGEST_TARGET ? `${target.slice(0, LONGEST_TARGET)}…` : target, msg: reason })}\n`;

/** The network of an address, /24 or /48: enough to see where load comes from, not who. */
export function maskedAddress(
  address: string,
  how: Exclude<AccessLogPlan, boolean>['address'],
): string | undefined {
  if (how === 'none' || address === '') return undefined;
  if (how === 'full') return address;
  if (isIP(address) === 4) return address.replace(/\d+$/, '0');
  if (isIP(address) !== 6) return undefined;
  // Three groups are kept; the zeros that "::" stands for are not written.
  const groups = (address.split('::')[0] ?? '').split(':').slice(0, 3);
  return `${groups.join(':').replace(/(?:(?:^|:)0*)+$/, '')}::`;
}
