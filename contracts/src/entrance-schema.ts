import { isIP } from 'node:net';
import { z } from 'zod';
import { address as listenAddress } from './address-schema.js';

/** `10.0.0.0/8`, `2001:db8::/32` or one address; undefined when the text is neither. */
export function parseCidr(
  text: string,
): { readonly address: string; readonly family: 'ipv4' | 'ipv6'; readonly prefix: number } | undefined {
  const [, address = '', given] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = given === undefined ? longest : Number(given);
  return prefix <= longest ? { address, family: version === 4 ? 'ipv4' : 'ipv6', prefix } : undefined;
}

const cidr = z.string().refine((text) => parseCidr(text) !== undefined, {
  message: 'is not a range of addresses',
  params: { remedy: 'write it as "10.0.0.0/8", "2001:db8::/32" or "192.0.2.7"' },
});

// RFC 9110, 7.6.3: the pseudonym is a token.
const pseudonym = z.string().refine((text) => /^[!#$%&'*+.^`|~\w-]+$/.test(text), {
  message: 'is not a name that a Via header can carry',
  params: { remedy: 'use letters, digits and "-", such as "strangler"' },
});

const collector = z.string().refine((text) => URL.canParse(text) && /^https?:\/\//.test(text), {
  message: 'is not the URL of a collector',
  params: { remedy: 'write it as "http://127.0.0.1:4318/v1/traces"' },
});

const accessLogSchema = z.union([
  z.boolean(),
  z.strictObject({
    file: z.string().min(1).optional().describe('relative to the plan; standard output when left out'),
    address: z
      .enum(['masked', 'full', 'none'])
      .default('masked')
      .describe('addresses of clients: their network only (/24 and /48), whole, or not at all'),
  }),
]);
export type AccessLogPlan = z.infer<typeof accessLogSchema>;

const tlsSchema = z.strictObject({
  listen: listenAddress,
  cert: z
    .string()
    .min(1)
    .describe('PEM file with the chain, relative to the plan; read again when it changes'),
  key: z.string().min(1).describe('PEM file with the private key, likewise'),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  alpn: z
    .array(z.enum(['h2', 'http/1.1']))
    .min(1)
    .default(['h2', 'http/1.1'])
    .describe('what clients may speak, the preferred one first'),
});

/** Keys of `proxy` about the way in: who connects how, whom the proxy believes, and what is written down of a request. */
export const entranceKeys = {
  tls: tlsSchema.optional().describe('a second listener, with TLS, HTTP/2 and HTTP/1.1'),
  trusted: z
    .array(cidr)
    .optional()
    .describe('proxies in front whose X-Forwarded headers and X-Request-Id are believed'),
  forwarded: z
    .enum(['x-forwarded', 'forwarded', 'both'])
    .default('x-forwarded')
    .describe('what upstreams are told of the client: X-Forwarded-*, Forwarded (RFC 7239), or both'),
  via: pseudonym
    .optional()
    .describe('the name of the proxy in Via headers; a request that has been here already is refused'),
  tracing: z
    .strictObject({
      otlp: collector.describe('where spans go, as JSON over HTTP'),
      ratio: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe(
          'share of the traces that begin here which are sampled; others keep what their caller chose',
        ),
      service: z.string().min(1).default('strangler-proxy').describe('service.name of the spans'),
    })
    .optional(),
  accessLog: accessLogSchema
    .optional()
    .describe('one line for each request; at the log level debug only when left out, never with false'),
};
