import { z } from 'zod';

const count = z.number().int().min(1);
const bytes = z.number().int().min(0);
const milliseconds = z.number().int().min(1);

/** How large a request may be, how long it may take, and how many connections there may be. What has no default has no limit. */
export const limitsSchema = z
  .strictObject({
    headBytes: bytes
      .min(1_024)
      .max(1_048_576)
      .default(65_536)
      .describe('request line and headers together; more is answered 431'),
    headers: count.default(200).describe('header lines; more are answered 431'),
    targetBytes: bytes.min(64).default(16_384).describe('path and query; more is answered 414'),
    bodyBytes: bytes.optional().describe('body of a request; more is answered 413'),
    headMs: milliseconds
      .default(30_000)
      .describe('longest time for the head of a request to arrive; after it 408'),
    // Longer than the idle time of usual load balancers, so that it is they who close a connection.
    idleMs: milliseconds.default(65_000).describe('how long a connection may lie idle between two requests'),
    connections: count.optional().describe('connections of clients at once; one more is closed'),
    connectionsPerClient: count.optional().describe('the same for each address (IPv6: each /64)'),
  })
  .prefault({});
export type RequestLimits = z.infer<typeof limitsSchema>;

/** What a route may say in place of `proxy.limits`. */
export const routeLimitsSchema = z.strictObject({ bodyBytes: bytes });
export type RouteLimits = z.infer<typeof routeLimitsSchema>;

export const rateLimitSchema = z.strictObject({
  requests: count.describe('so many requests'),
  perMs: milliseconds.default(1_000).describe('in so many milliseconds, evenly spread'),
  burst: count.optional().describe('so many may come at once; "requests" when left out'),
  by: z
    .enum(['client', 'address', 'route'])
    .describe(
      'whose requests are counted together: those of one user or session (of one address when it names none), of one address, or all',
    ),
});
export type RateLimit = z.infer<typeof rateLimitSchema>;

/** When the proxy itself has too much to do. What is left out is not looked at. */
export const overloadSchema = z
  .strictObject({
    maxInFlight: count.optional().describe('requests on their way at once'),
    queue: z.number().int().min(0).default(0).describe('how many more may wait for a place'),
    queueMs: milliseconds.default(1_000).describe('the longest such wait; after it 503'),
    eventLoopDelayMs: milliseconds
      .optional()
      .describe('new requests are answered 503 while the event loop is later than this'),
  })
  .prefault({});
export type OverloadLimits = z.infer<typeof overloadSchema>;

/** Keys of an upstream: how much of it may be asked at once. */
export const inFlightShape = {
  maxInFlight: count
    .optional()
    .describe('requests of clients on their way to it at once; unlimited when left out'),
  queue: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe('with maxInFlight: how many more may wait for a place; 64 when left out'),
  queueMs: milliseconds
    .optional()
    .describe('with maxInFlight: the longest such wait, after it 503; 1000 when left out'),
};
export type InFlightLimits = {
  readonly maxInFlight?: number | undefined;
  readonly queue?: number | undefined;
  readonly queueMs?: number | undefined;
};

/** Keys of `proxy`. */
export const admissionKeys = {
  limits: limitsSchema.describe('how large and how slow a request may be'),
  rateLimits: z
    .array(rateLimitSchema)
    .default([])
    .describe('for all requests; each of them has to allow one'),
  overload: overloadSchema.describe('when to refuse requests rather than to be slow for everybody'),
};

/** Keys of a route. */
export const routeAdmissionKeys = {
  limits: routeLimitsSchema.optional().describe('in place of those of the proxy'),
  rateLimit: rateLimitSchema.optional().describe('besides those of the proxy'),
};
