import { z } from 'zod';

const cookieName = z.string().regex(/^[!#$%&'*+.^`|~\w-]+$/, 'is not the name of a cookie');
const headerName = z
  .string()
  .toLowerCase()
  .regex(/^[!#$%&'*+.^`|~\w-]+$/, 'is not the name of a header');
/** Where a request says something of its client; a claim counts only in a token that was verified. */
const source = z.union([
  z.strictObject({ cookie: cookieName }),
  z.strictObject({ header: headerName }),
  z.strictObject({ claim: z.string().min(1) }),
]);
export type Source = z.infer<typeof source>;

// What the proxy keeps from upstreams goes by its name: a token for testers must not reach an application's log.
export const testersSchema = z.union([
  z.strictObject({
    header: headerName.refine((text) => text.startsWith('x-strangler-'), {
      message: 'does not begin with "x-strangler-"',
      params: { remedy: 'write "x-strangler-tester": headers of that kind are kept from upstreams' },
    }),
  }),
  z.strictObject({
    cookie: cookieName.refine((text) => text.startsWith('strangler_tester'), {
      message: 'does not begin with "strangler_tester"',
      params: { remedy: 'write "strangler_tester": cookies of that kind are kept from upstreams' },
    }),
  }),
]);

/** Where a request says who its client is. */
export const identitySchema = z
  .strictObject({
    user: source.optional().describe('where a request says who its user is'),
    session: source
      .optional()
      .describe('where a request says its session; for flags that stick to sessionId'),
    tenant: source.optional().describe('where a request says its tenant; the property "tenant" of flags'),
    properties: z
      .record(z.string().min(1), source)
      .optional()
      .describe('further properties that constraints of flags may ask for'),
    auth: z
      .string()
      .optional()
      .describe('the name of proxy.auth that verifies the claims; the only one when left out'),
  })
  .prefault({});
