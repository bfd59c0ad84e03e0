import { GRPC_CODES, type GrpcCode, type GrpcRules } from '@strangler/contracts';

/** The HTTP status of each code, as the comments of google/rpc/code.proto (googleapis) give them. */
const USUAL: Readonly<Record<GrpcCode, number>> = {
  OK: 200,
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

/** A number that is no code counts as UNKNOWN (grpc/doc/statuscodes.md). */
export const codeNameOf = (code: number): GrpcCode => GRPC_CODES[code] ?? 'UNKNOWN';

export const httpStatusOf = (code: GrpcCode, { status }: Pick<GrpcRules, 'status'>): number =>
  status[code] ?? USUAL[code];
