import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import { dataSourceOptions, inspectDatabase } from './database.js';
import type { Environment } from './environment.js';
import { describeApi } from './openapi.js';
import { ServiceModule } from './service.module.js';

export interface Service {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the service on its database. Throws one sentence when the database is not there or migrations have not run. */
export async function startService(environment: Environment): Promise<Service> {
  const engine = await inspectDatabase(environment.databaseUrl);
  const app = await NestFactory.create<NestExpressApplication>(
    ServiceModule.with(environment, dataSourceOptions(engine, environment.databaseUrl)),
    { logger: ['error', 'warn'], abortOnError: false },
  );
  // Threshold and validation are the shop's: a client cannot tell the two apart by a header or by an error.
  app.use(compression({ threshold: 512 }));
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true }));
  describeApi(app);

  try {
    await app.listen(environment.port, environment.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  const { port } = app.getHttpServer().address() as { port: number };
  const host = environment.host.includes(':') ? `[${environment.host}]` : environment.host;
  return { url: `http://${host}:${port}`, close: () => app.close() };
}
