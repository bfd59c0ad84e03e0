import { z } from 'zod';

const origin = z.string().transform((text, context) => {
  if (/^https?:\/\/[^/?#@]+\/?$/i.test(text) && URL.canParse(text)) return new URL(text).origin;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not an origin`,
    params: { remedy: 'write it as "http://catalog.internal:3001"' },
  });
  return z.NEVER;
});

const domain = z.string().refine((text) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text), {
  message: 'is not a domain',
  params: { remedy: 'write it as "shop.example", or false for none' },
});
const cookiePath = z.string().refine((text) => /^\/[\x21-\x3a\x3c-\x7e]*$/.test(text), {
  message: 'is not the path of a cookie',
  params: { remedy: 'write it as "/shop"' },
});

/** What an upstream says of its own address, made into what its clients know it by. */
export const rewriteSchema = z.strictObject({
  origins: z
    .array(origin)
    .default([])
    .describe('what the upstream calls itself, besides the url it is asked at'),
  location: z
    .boolean()
    .default(true)
    .describe('Location, Content-Location, Refresh and Link with an origin of the upstream'),
  cookies: z
    .strictObject({
      domain: z
        .union([domain, z.literal(false)])
        .optional()
        .describe('in place of the Domain of cookies; false: without one'),
      path: z.record(cookiePath, cookiePath).default({}).describe('beginning of the Path: new beginning'),
      secure: z
        .enum(['keep', 'as-client'])
        .default('keep')
        .describe('as-client: Secure when the client came by https, and only then'),
    })
    .prefault({}),
  links: z
    .array(
      z
        .string()
        .toLowerCase()
        .refine((text) => /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(text), {
          message: 'is not a media type',
          params: { remedy: 'write it as "text/html"' },
        }),
    )
    .default([])
    .describe('media types of bodies in which origins of the upstream are replaced'),
});
export type RewriteRules = z.infer<typeof rewriteSchema>;
