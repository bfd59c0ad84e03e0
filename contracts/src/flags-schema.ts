import { z } from 'zod';

const unleashUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url &&
    /^https?:$/.test(url.protocol) &&
    /\/api\/?$/.test(url.pathname) &&
    `${url.search}${url.hash}${url.username}${url.password}` === ''
  )
    return url.href.replace(/\/$/, '');
  context.addIssue({
    code: 'custom',
    message: 'is not the URL of the API of an Unleash server',
    params: { remedy: 'write it as "http://127.0.0.1:4242/api", ending in "/api"' },
  });
  return z.NEVER;
});

/** Where flags come from: exactly one of the two, which the check of the whole plan says. */
export const flagsSchema = z.strictObject({
  file: z
    .string()
    .min(1)
    .optional()
    .describe('flags in the format of the client API of Unleash; relative to the plan'),
  unleash: z
    .strictObject({
      url: unleashUrl.describe('API of an Unleash server, ending in "/api"'),
      token: z.string().min(1).describe('backend API token of an environment; enters by !env'),
      appName: z.string().min(1).default('strangler-proxy').describe('name the server lists it under'),
      environment: z
        .string()
        .min(1)
        .default('default')
        .describe('for constraints on "environment"; which flags it gets is up to the token'),
      refreshMs: z.number().int().min(100).default(5_000).describe('how often it asks for changes'),
    })
    .optional()
    .describe('in place of a file: flags of an Unleash server'),
});
export type UnleashServer = NonNullable<z.infer<typeof flagsSchema>['unleash']>;
