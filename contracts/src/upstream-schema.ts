import { z } from 'zod';
import { httpUrl } from './address-schema.js';
import { inFlightShape } from './admission-schema.js';
import { rewriteSchema } from './rewrite-schema.js';

const LONGEST_TIMER_MS = 2_147_483_647;
const ms = (least = 1) => z.number().int().min(least).max(LONGEST_TIMER_MS);

const healthPath = z.string().startsWith('/');
const healthObject = z.strictObject({
  path: healthPath,
  intervalMs: ms().default(1_000),
  timeoutMs: ms().default(1_000),
  unhealthyAfter: z.number().int().min(1).default(2).describe('failed checks in a row'),
  healthyAfter: z.number().int().min(1).default(2).describe('good checks in a row'),
});

const pemFile = z.string().refine((text) => text !== '' && !text.includes('-----BEGIN'), {
  message: 'is not the name of a file',
  params: { remedy: 'write the path of a PEM file, relative to the plan' },
});

/** How far each stage of an exchange may take. 0 where it is allowed: for as long as it likes. */
const timeouts = z
  .strictObject({
    // Envoy: connect_timeout of a cluster, 5 s.
    connectMs: ms().default(5_000).describe('TCP, TLS and the wait for a free connection'),
    headMs: ms().optional().describe('from the last byte of the request to the head of the answer; 30000'),
    // Envoy: stream_idle_timeout, 5 min.
    idleMs: ms(0).default(300_000).describe('between two pieces of an answer; not for server-sent events'),
    bodyMs: ms(0).default(0).describe('from the head of an answer to its end'),
  })
  .prefault({});

const breaker = z.union([
  z.literal(false),
  z
    .strictObject({
      // Envoy: outlier detection, consecutive_5xx 5.
      failures: z.number().int().min(1).default(5).describe('failures in a row that open it'),
      // Hystrix: errorThresholdPercentage 50, requestVolumeThreshold 20, rolling window 10 s, sleepWindow 5 s, one probe.
      ratio: z
        .number()
        .gt(0)
        .max(1)
        .default(0.5)
        .describe('share of failures within windowMs that opens it, from minRequests on'),
      minRequests: z.number().int().min(1).default(20),
      windowMs: ms(10).default(10_000),
      openMs: ms().default(5_000).describe('how long nobody is sent there before a probe'),
      halfOpen: z.number().int().min(1).default(1).describe('probes at once, and good ones that close it'),
    })
    .prefault({}),
]);

const upstreamObject = z
  .strictObject({
    url: httpUrl.optional(),
    urls: z.array(httpUrl).min(1).optional().describe('several instances of the same application'),
    host: z
      .enum(['client', 'upstream'])
      .default('client')
      .describe('the Host header the upstream gets: as the client sent it, or that of the url'),
    // YARP: PowerOfTwoChoices is its default; Envoy calls the same LEAST_REQUEST.
    balance: z.enum(['least-pending', 'round-robin']).default('least-pending'),
    connections: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('most connections to one instance; as many as there are requests when left out'),
    health: z
      .union([healthPath.transform((path) => healthObject.parse({ path })), healthObject])
      .optional()
      .describe('path that answers 200 while the instance can serve; asked every second'),
    timeoutMs: ms().optional().describe('the same as timeouts.headMs'),
    timeouts,
    tls: z
      .strictObject({
        ca: pemFile.optional().describe('certificates that are trusted, in place of the usual ones'),
        cert: pemFile.optional().describe('what the proxy shows of itself'),
        key: pemFile.optional(),
        servername: z
          .string()
          .min(1)
          .optional()
          .describe('name the certificate must have, in place of that of the url'),
        insecure: z.boolean().default(false).describe('true: every certificate will do'),
      })
      .optional(),
    dns: z
      .strictObject({
        // Envoy: dns_refresh_rate, 5 s.
        refreshMs: ms(0).default(5_000).describe('0: the name is looked up with each new connection'),
        family: z
          .union([z.literal(4), z.literal(6)])
          .optional()
          .describe('IPv4 where the name has it, else IPv6, when left out'),
      })
      .prefault({}),
    rewrite: rewriteSchema
      .optional()
      .describe('its own address in its answers becomes the one its clients use'),
    ...inFlightShape,
    breaker: breaker.prefault({}).describe('false: none'),
    retries: z
      .strictObject({
        perRequest: z.number().int().min(0).max(10).default(1),
        // Envoy and Linkerd: a budget of 20 %; Linkerd: and 10 a second, over 10 s.
        budgetRatio: z.number().min(0).max(1).default(0.2).describe('retries for each request'),
        budgetPerSecond: z.number().min(0).default(10).describe('retries that are free besides'),
      })
      .prefault({}),
  })
  .transform(({ url, urls, timeoutMs, timeouts: { headMs, ...rest }, ...others }, context) => {
    const all = urls ?? (url === undefined ? [] : [url]);
    const [first] = all;
    if (first === undefined || (url !== undefined && urls !== undefined)) {
      context.addIssue({
        code: 'custom',
        message: first === undefined ? 'has no url' : 'has both "url" and "urls"',
        params: { remedy: 'write "url: http://host:port", or "urls:" with a list of them' },
      });
      return z.NEVER;
    }
    return { ...others, url: first, urls: all, timeouts: { ...rest, headMs: headMs ?? timeoutMs ?? 30_000 } };
  });

/** An HTTP server the proxy can send to, as one or several instances. */
export const upstreamSchema = z.union([
  httpUrl.transform((url) => upstreamObject.parse({ url })),
  upstreamObject,
]);

export type Upstream = z.infer<typeof upstreamSchema>;
export type BreakerLimits = Exclude<Upstream['breaker'], false>;
export type HealthCheck = NonNullable<Upstream['health']>;
export type UpstreamTls = NonNullable<Upstream['tls']>;
