import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type Address, urlOf } from '@strangler/contracts';
import type { Logger } from 'pino';
import type { AddressInfo } from 'node:net';
import type { Control } from '../transition/control.js';
import { adminGuard } from './admin-guard.js';
import { ControlModule } from './control.module.js';
import { ErrorAnswer } from './error-answer.js';
import { nestLog } from './nest-log.js';

/** Serves the control plane over HTTP. `stop` ends the open long polls too. */
export async function serveControl(
  control: Control,
  listen: Address,
  log: Logger,
): Promise<{ url: string; stop(): Promise<void> }> {
  const app = await NestFactory.create<NestExpressApplication>(ControlModule.for(control), {
    logger: nestLog(log),
    abortOnError: false,
    forceCloseConnections: true,
  });
  app.disable('x-powered-by');
  app.use(adminGuard(listen.host, control.plan.control?.adminToken));
  app.useGlobalFilters(new ErrorAnswer(log));
  await control.feed.run((error) =>
    log.warn({ err: error }, 'the ledger cannot be read, the last known state is served'),
  );
  try {
    await app.listen(listen.port, listen.host);
  } catch (error) {
    control.feed.stop();
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  return {
    url: urlOf({ ...listen, port }),
    async stop() {
      control.feed.stop();
      await app.close();
    },
  };
}
