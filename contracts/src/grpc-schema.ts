import { z } from 'zod';
import { headerNameSchema } from './transform-schema.js';

/** The names of google/rpc/code.proto, each at its number. */
export const GRPC_CODES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;
export type GrpcCode = (typeof GRPC_CODES)[number];

const fieldPath = z
  .string()
  .refine((text) => /^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/.test(text) && !text.includes('__proto__'), {
    message: 'is not a field of a message',
    params: { remedy: 'write it as "item.id"' },
  });

/** How a route's requests become calls of a gRPC method, after the rules of google/api/http.proto. */
export const grpcSchema = z.strictObject({
  proto: z.string().min(1).describe('the .proto file, relative to the plan'),
  include: z.array(z.string().min(1)).default([]).describe('folders its imports are looked for in'),
  service: z.string().regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/, 'is not the full name of a service'),
  method: z.string().regex(/^[A-Za-z]\w*$/, 'is not the name of a method'),
  fields: z
    .record(z.string().min(1), fieldPath)
    .default({})
    .describe('parameter of path or query: field, where they are not called alike'),
  body: z
    .union([z.literal('*'), fieldPath])
    .optional()
    .describe('"*": the JSON body is the message; else the field it goes to; without it no body is read'),
  responseBody: fieldPath.optional().describe('the field of the answer that is sent, in place of all of it'),
  stream: z
    .enum(['lines', 'array'])
    .default('lines')
    .describe('how several messages are sent: one JSON a line, or one array'),
  defaults: z.boolean().default(true).describe('whether fields that are not set are sent with their default'),
  metadata: z
    .array(
      headerNameSchema.refine((text) => !/^grpc-|-bin$/.test(text), {
        message: 'cannot become metadata',
        params: { remedy: 'name headers of plain text' },
      }),
    )
    .default([])
    .describe('headers of the request that become metadata of the call'),
  status: z
    .partialRecord(z.enum(GRPC_CODES), z.number().int().min(200).max(599))
    .default({})
    .describe('gRPC code: HTTP status, where it is not the usual one'),
  maxBodyBytes: z.number().int().min(1).default(1_048_576),
});
export type GrpcRules = z.infer<typeof grpcSchema>;
