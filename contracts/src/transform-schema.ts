import { z } from 'zod';

// RFC 9110, 5.1. Names of one connection, of the framing and of the toolkit itself are not the plan's to write.
const NOT_TO_TOUCH =
  /^(?:connection|content-length|expect|http2-settings|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|x-strangler-.*)$/;

export const headerNameSchema = z
  .string()
  .toLowerCase()
  .refine((text) => /^[!#$%&'*+.^`|~\w-]+$/.test(text), {
    message: 'is not the name of a header',
    params: { remedy: 'write it like "x-item"' },
  })
  .refine((text) => !NOT_TO_TOUCH.test(text), {
    message: 'belongs to the connection, the framing or the toolkit',
    params: { remedy: 'leave it out: the proxy writes it' },
  });

const PARAM = /^:([A-Za-z_]\w*)$/;

/** A text as it is, or `:name`, which stands for a parameter of the route, percent-encoded. */
const value = z.string().refine((text) => /^[\t\x20-\x7e]*$/.test(text), {
  message: 'has characters that no header or query can have',
  params: { remedy: 'use printable ASCII' },
});

const headerEdits = z
  .strictObject({
    set: z.record(headerNameSchema, value).default({}).describe('in place of what is there, or new'),
    remove: z.array(headerNameSchema).default([]),
    rename: z.record(headerNameSchema, headerNameSchema).default({}).describe('old name: new name'),
  })
  .prefault({});
export type HeaderEdits = z.infer<typeof headerEdits>;

const queryEdits = z
  .strictObject({
    add: z.record(z.string().min(1), value).default({}),
    remove: z.array(z.string().min(1)).default([]),
    rename: z.record(z.string().min(1), z.string().min(1)).default({}).describe('old name: new name'),
  })
  .prefault({});
export type QueryEdits = z.infer<typeof queryEdits>;

const isPointer = (text: string): boolean =>
  /^(?:\/[^/]*)+$/.test(text) && !text.split('/').includes('__proto__');
const pointer = z.string().refine(isPointer, {
  message: 'is not a JSON pointer',
  params: { remedy: 'write it like "/items/*/price", where "*" stands for any one name or index' },
});
const namedPointer = pointer.refine((text) => !text.endsWith('/*'), {
  message: 'does not end with a name',
  params: { remedy: 'let "*" stand only in front of the name' },
});
const exactPointer = namedPointer.refine((text) => !text.split('/').includes('*'), {
  message: 'names more than one place',
  params: { remedy: 'move one place to one other place, without "*"' },
});
const fieldName = z.string().refine((text) => text !== '__proto__' && !text.includes('/'), {
  message: 'is not a name in an object',
  params: { remedy: 'write the new name alone, without "/"' },
});

const jsonEdits = z.strictObject({
  move: z.record(exactPointer, exactPointer).default({}).describe('from place: to place'),
  rename: z.record(namedPointer, fieldName).default({}).describe('place: new name'),
  drop: z.array(pointer).default([]),
  constant: z.record(namedPointer, z.json()).default({}).describe('place: value'),
});
export type JsonEdits = z.infer<typeof jsonEdits>;

/** `/v2/items/:id/*`: text, parameters of the route, and at the end what the route's own `*` stands for. */
export type PathTemplate = readonly (string | { readonly param: string } | { readonly rest: true })[];

const pathTemplate = z.string().transform((text, context): PathTemplate => {
  const parts = text.split(/(:[A-Za-z_]\w*)/);
  const plain = text.replace(/\/\*$/, '/').replaceAll(/:[A-Za-z_]\w*/g, 'p');
  if (/^\/[A-Za-z0-9\-._~!$&'()+,=@/]*$/.test(plain) && !/\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(plain))
    return parts.flatMap((part, index): PathTemplate => {
      const param = PARAM.exec(part)?.[1];
      if (param !== undefined) return [{ param }];
      const isRest = index === parts.length - 1 && part.endsWith('/*');
      return isRest ? [part.slice(0, -1), { rest: true }] : part === '' ? [] : [part];
    });
  context.addIssue({
    code: 'custom',
    message: `"${text}" is not the path of a request`,
    params: { remedy: 'write it like "/v2/items/:id", with a last "*" for the rest of the path' },
  });
  return z.NEVER;
});

/** What a route changes of requests on their way to the service, and of answers on their way back. */
export const transformSchema = z.strictObject({
  path: pathTemplate.optional().describe('path the service is asked for, like "/v2/items/:id" or "/v2/*"'),
  query: queryEdits,
  request: z.strictObject({ headers: headerEdits, json: jsonEdits.optional() }).prefault({}),
  response: z.strictObject({ headers: headerEdits, json: jsonEdits.optional() }).prefault({}),
  maxBodyBytes: z
    .number()
    .int()
    .min(1)
    .default(1_048_576)
    .describe('largest JSON that is changed; a larger request is answered 413, a larger answer 502'),
});
export type TransformRules = z.infer<typeof transformSchema>;

/** The parameter a value stands for, if it is one. */
export const paramOf = (text: string): string | undefined => PARAM.exec(text)?.[1];
