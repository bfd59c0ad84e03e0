import type { IncomingMessage, ServerResponse } from 'node:http';
import { epochUnknown, epochUnreadable, fenceMet, staleEpoch, type StranglerError } from './errors.js';

/** With each write to a service a proxy says which epoch of the authority it goes by. */
export const EPOCH_HEADER = 'x-strangler-epoch';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
const RETRY_AFTER_SECONDS = '1';

export type ServiceGuard = (
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Middleware of a service, for Express, NestJS or node:http: refuses a write of a proxy that has not heard of the newest change of sides, before anything of it is executed: 409 STALE_EPOCH. Without the
 * header it is no proxy that asks, and the fence in the database decides. `epochOf` reads the epoch of the service's fence; when it rejects, writes of proxies are answered 503.
 */
export const serviceGuard =
  ({ epochOf }: { readonly epochOf: () => Promise<number> }): ServiceGuard =>
  (request, response, next) => {
    const told = request.headers[EPOCH_HEADER];
    if (told === undefined || SAFE_METHODS.has(request.method ?? '')) return next();
    // What comes twice arrives joined, and is no number either.
    const epoch = typeof told === 'string' && /^\d{1,15}$/.test(told) ? Number(told) : undefined;
    if (epoch === undefined) return answer(response, epochUnreadable());
    epochOf().then(
      // Outside the promise: what the service throws is no failure to read the epoch.
      (now) => (epoch < now ? answer(response, staleEpoch(epoch, now)) : process.nextTick(next)),
      (cause: unknown) => answer(response, epochUnknown(cause)),
    );
  };

/** Rows of a statement with `?` for values: of TypeORM `(sql, values) => source.query(sql, values)`, of mysql2 `async (sql, values) => (await pool.query(sql, values))[0]`. */
export type AskRows = (sql: string, values: unknown[]) => Promise<unknown>;

/** No table, or not even its schema. */
const NOT_THERE: readonly unknown[] = [1146, 1049];

/** Reads the epoch of the fences of these tables by the service's own pool; 0 before any were put up. Its account needs SELECT on the table `fence` of the control schema. */
export const fenceEpoch =
  (ask: AskRows, controlSchema: string, tables: readonly string[]) => async (): Promise<number> => {
    const sql = `SELECT CAST(COALESCE(MAX(epoch), 0) AS CHAR) AS epoch FROM \`${controlSchema.replaceAll('`', '``')}\`.fence WHERE tbl IN (${tables.map(() => '?').join(', ') || 'NULL'})`;
    try {
      const rows = (await ask(sql, [...tables])) as readonly { readonly epoch: string }[];
      return Number(rows[0]?.epoch ?? 0);
    } catch (error) {
      if (error instanceof Error && 'errno' in error && NOT_THERE.includes(error.errno)) return 0;
      throw error;
    }
  };

/** A write that met a closed fence: nothing of its statement was done. */
export type Fenced = { readonly table: string; readonly epoch: number };

const DEEPEST = 5;
const SIGNALLED = '45000';

/** What a fence has refused, whoever has wrapped the error of the driver; null for any other error. */
export function fencedError(error: unknown): Fenced | null {
  let each = error;
  for (let depth = 0; depth < DEEPEST && each instanceof Error; depth++) {
    const {
      sqlState = SIGNALLED,
      sqlMessage,
      driverError,
    } = each as { sqlState?: unknown; sqlMessage?: unknown; driverError?: unknown };
    const text = typeof sqlMessage === 'string' ? sqlMessage : each.message;
    // Some drivers put the place in front and the statement behind. What a client wrote into a row is in errors of other states.
    const match = /^(?:\([^)]*\) )?FENCED:(.{1,64}):(\d{1,20})(?:\n|$)/.exec(text);
    if (match && sqlState === SIGNALLED) return { table: match[1] as string, epoch: Number(match[2]) };
    each = driverError ?? each.cause;
  }
  return null;
}

/** Answers a write that met a fence, for an exception filter: 503 with Retry-After, for soon the other side writes, or this one again. */
export function answerFenced(response: ServerResponse, { table, epoch }: Fenced): void {
  answer(response, fenceMet(table, epoch));
}

function answer(response: ServerResponse, { code, status, message }: StranglerError): void {
  if (response.headersSent) return void response.destroy();
  response.statusCode = status;
  response.setHeader('content-type', 'application/json; charset=utf-8');
  if (status === 503) response.setHeader('retry-after', RETRY_AFTER_SECONDS);
  response.end(JSON.stringify({ code, message }));
}
