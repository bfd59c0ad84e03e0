/** One of those that are measured: an address to ask and the process whose CPU time counts. */
export type Contender = {
  readonly name: ContenderName;
  readonly url: string;
  readonly pid: number;
  /** Where its inspector opens when it is asked to; of ours alone. */
  readonly inspectPort?: number;
};

/** `before` is another build of the proxy, to see what a change did; it runs only when one is named. */
export const CONTENDERS = [
  'ours',
  'before',
  'hpm',
  'httpxy',
  'fastify',
  'nginx',
  'haproxy',
  'direct',
] as const;
export type ContenderName = (typeof CONTENDERS)[number];
