import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { reasonOf, StranglerError } from '@strangler/contracts';
import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { GateUnmet } from '../errors.js';
import type { Gate } from '../gates/gate.js';

/** Every failure leaves as `{code, message}`, unmet gates with the gates. What nobody expected is logged, not shown. */
@Catch()
export class ErrorAnswer implements ExceptionFilter {
  readonly #log: Logger;
  constructor(log: Logger) {
    this.#log = log;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse>();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const answer = (status: number, body: { code: string; message: string; gates?: readonly Gate[] }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (error instanceof StranglerError) {
      const { code, message, status } = error;
      // 501 is an answer to a question, not a fault that somebody has to see to.
      if (status >= 500 && status !== 501) this.#log.warn({ code }, message);
      answer(status, { code, message, ...(error instanceof GateUnmet ? { gates: error.gates } : {}) });
    } else if (error instanceof HttpException) {
      answer(error.getStatus(), { code: 'REQUEST_REFUSED', message: error.message });
    } else if (isRequestFault(error)) {
      answer(error.statusCode, {
        code: 'REQUEST_REFUSED',
        message: `the request cannot be read: ${error.message}`,
      });
    } else {
      this.#log.error({ err: error }, reasonOf(error));
      answer(500, { code: 'INTERNAL', message: 'the control plane failed: its log says why' });
    }
  }
}

/** The body parser's own errors carry the status that the client has earned. */
const isRequestFault = (error: unknown): error is Error & { readonly statusCode: number } =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  error.statusCode >= 400 &&
  error.statusCode < 500;
