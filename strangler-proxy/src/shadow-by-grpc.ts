import { StranglerError } from '@strangler/contracts';
import type { Answer } from './compare.js';
import type { NotAnswered } from './ask.js';
import { askByGrpc, type GrpcQuestion } from './ask-by-grpc.js';
import { headerObject } from './headers.js';
import type { GrpcOngoing } from './open-grpc.js';

export type GrpcShadow = Omit<GrpcQuestion, 'timeoutMs' | 'body'> & {
  readonly deadlineMs: number;
  readonly maxBodyBytes: number;
  readonly signal: AbortSignal;
};

/** Asks a gRPC method on behalf of nobody: bounded in time and bytes, and whatever goes wrong is a value. */
export function shadowByGrpc(shadow: GrpcShadow): Promise<Answer | NotAnswered> {
  const { deadlineMs, maxBodyBytes, signal } = shadow;
  return new Promise((done) => {
    let ongoing: GrpcOngoing | undefined;
    let answer: Pick<Answer, 'status' | 'headers'> = { status: 0, headers: {} };
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (result: Answer | NotAnswered) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onStop);
      ongoing?.cancel();
      done(result);
    };
    const onStop = () => finish({ reason: 'stopped', detail: 'the proxy is stopping' });
    const late = { reason: 'deadline', detail: `no whole answer within ${deadlineMs} ms` };
    const timer = setTimeout(() => finish(late), deadlineMs);
    signal.addEventListener('abort', onStop);
    if (signal.aborted) return onStop();
    const started = askByGrpc(
      { ...shadow, timeoutMs: deadlineMs, body: undefined },
      {
        head: (status, headers) => void (answer = { status, headers: headerObject(headers) }),
        data(chunk) {
          bytes += chunk.length;
          if (bytes > maxBodyBytes)
            finish({ reason: 'too-large', detail: `more than ${maxBodyBytes} bytes` });
          else chunks.push(chunk);
          return true;
        },
        drained: (resume) => resume(),
        end: () => finish({ ...answer, body: Buffer.concat(chunks) }),
        failed: ({ code, message }) =>
          finish(
            code === 'PROXY_UPSTREAM_TIMEOUT' ? late : { reason: 'service-unreachable', detail: message },
          ),
      },
    );
    // A client would have been told so.
    if (started instanceof StranglerError)
      return finish({ status: started.status, headers: {}, body: Buffer.from(started.message) });
    ongoing = started;
  });
}
