import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** What Nest has to say goes into the program's own log; its start-up notes are for the curious. */
export const nestLog = (log: Logger): LoggerService => ({
  log: (message: unknown) => log.debug(String(message)),
  error: (message: unknown) => log.error(String(message)),
  warn: (message: unknown) => log.warn(String(message)),
  debug: (message: unknown) => log.debug(String(message)),
  verbose: (message: unknown) => log.trace(String(message)),
});
