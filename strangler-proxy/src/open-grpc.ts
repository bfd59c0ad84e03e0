import type { Client, Metadata, ServiceError } from '@grpc/grpc-js';
import type { GrpcRules, Plan } from '@strangler/contracts';
import type { RawHeaders } from './headers.js';
import { type GrpcMethod, grpcRoutesOf, loadGrpcMethod } from './load-grpc-method.js';

export type GrpcEnd = {
  readonly code: number;
  readonly text: string;
  /** The other side was not reached, or said nothing of its own: the text is of the machinery. */
  readonly isOurs: boolean;
};
export type GrpcListener = {
  /** False: `resume` has to be called before another message comes. */
  message(message: unknown): boolean;
  end(end: GrpcEnd): void;
};
export type GrpcOngoing = { cancel(): void; resume(): void };
/** A method of a service that can be called. */
export type GrpcCall = GrpcMethod & {
  /** Calls it with the fields of its request. `deadlineMs` bounds the wait for the first message. */
  start(fields: object, metadata: RawHeaders, deadlineMs: number, listener: GrpcListener): GrpcOngoing;
};
export type Grpc = {
  /** The call of a route; the plan the rules are of has been prepared. */
  call(rules: GrpcRules): GrpcCall;
  /** Reads the proto files of a plan. Throws GRPC_INVALID. */
  prepare(plan: Plan): Promise<void>;
  stop(): void;
};

const DEADLINE_EXCEEDED = 4;
// A service that comes back is found again soon: the library would wait for up to two minutes.
const RECONNECT_MS = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 };

/** gRPC for the routes that ask by it; without such a route nothing of it is loaded. */
export function openGrpc(): Grpc {
  const calls = new Map<GrpcRules, GrpcCall>();
  const clients = new Map<string, Client>();
  return {
    call: (rules) => calls.get(rules) as GrpcCall,
    async prepare(plan) {
      const routes = grpcRoutesOf(plan);
      if (routes.length === 0) return;
      const { default: library } = await import('@grpc/grpc-js');
      const clientOf = (address: string): Client => {
        const known = clients.get(address);
        if (known) return known;
        const { protocol, hostname, port, host } = new URL(address);
        const isSecure = protocol === 'https:';
        const client = new library.Client(
          port === '' ? `${hostname}:${isSecure ? 443 : 80}` : host,
          isSecure ? library.credentials.createSsl() : library.credentials.createInsecure(),
          { ...RECONNECT_MS, 'grpc.enable_http_proxy': 0 },
        );
        clients.set(address, client);
        return client;
      };
      for (const route of routes) {
        const method = await loadGrpcMethod(plan.folder, route);
        const client = clientOf(plan.upstreams[route.upstream]?.url as string);
        calls.set(
          route.rules,
          callOf(method, client, () => new library.Metadata()),
        );
      }
    },
    stop() {
      for (const client of clients.values()) client.close();
    },
  };
}

function callOf(method: GrpcMethod, client: Client, newMetadata: () => Metadata): GrpcCall {
  const serialize = (fields: object) =>
    Buffer.from(method.request.encode(method.request.fromObject(fields)).finish());
  const deserialize = (bytes: Buffer): unknown => method.response.decode(bytes);
  return {
    ...method,
    start(fields, headers, deadlineMs, listener) {
      const metadata = newMetadata();
      for (let index = 0; index + 1 < headers.length; index += 2)
        metadata.add(headers[index] as string, headers[index + 1] as string);
      let isOver = false;
      let heard = false;
      const finish = (ended: GrpcEnd): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        listener.end(ended);
      };
      // A server that has spoken has sent at least the head of its answer, or a status with metadata.
      const failed = (error: ServiceError) =>
        finish({
          code: error.code,
          text: error.details,
          isOurs: !heard && Object.keys(error.metadata?.getMap() ?? {}).length === 0,
        });
      const isLate = () => {
        finish({ code: DEADLINE_EXCEEDED, text: '', isOurs: true });
        call.cancel();
      };
      const timer = setTimeout(isLate, deadlineMs);
      const call = client.makeServerStreamRequest(
        method.path,
        serialize,
        deserialize,
        fields,
        metadata,
        // The service learns how long its first answer may take; a stream may go on for as long as it likes.
        method.streams ? {} : { deadline: Date.now() + deadlineMs },
      );
      call.on('metadata', () => (heard = true));
      call.on('data', (each: unknown) => {
        heard = true;
        clearTimeout(timer);
        if (!isOver && !listener.message(each)) call.pause();
      });
      call.on('error', (error) => failed(error as ServiceError));
      call.on('end', () => setImmediate(() => finish({ code: 0, text: '', isOurs: false })));
      return {
        cancel() {
          isOver = true;
          clearTimeout(timer);
          call.cancel();
        },
        resume: () => void call.resume(),
      };
    },
  };
}
