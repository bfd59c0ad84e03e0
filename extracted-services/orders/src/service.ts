import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import { dataSourceOptions, inspectDatabase } from './database.js';
import type { Environment } from './environment.js';
import { describeApi } from './openapi.js';
import { guardWrites } from './guard-writes.js';
import { renderViews } from './pages/views.js';
import { ServiceModule } from './service.module.js';
import { HttpShop } from './shop/http-shop.js';
import type { Shop } from './shop/shop.js';

export interface Service {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the service on its database. Throws one sentence when the database is not there or migrations have not run. */
export async function startService(
  environment: Environment,
  shop: Shop = new HttpShop(environment.shopUrl),
): Promise<Service> {
  const engine = await inspectDatabase(environment.databaseUrl);
  const app = await NestFactory.create<NestExpressApplication>(
    ServiceModule.with(environment, dataSourceOptions(engine, environment.databaseUrl), shop),
    { logger: ['error', 'warn'], abortOnError: false },
  );
  guardWrites(app, environment.databaseUrl);
  // Redirects go to the address that clients see, which the proxy tells.
  app.set('trust proxy', 'loopback, linklocal, uniquelocal');
  // The one header that tells the two apart: operators and tests see who answered.
  app.use((_request: unknown, response: ServerResponse, next: () => void) => {
    response.setHeader('X-Served-By', 'orders');
    next();
  });
  // Threshold and validation are the shop's: a client cannot tell the two apart by an encoding or by an error.
  // An event stream that is compressed is held back until the encoder has a block full.
  app.use(
    compression({
      threshold: 512,
      filter: (request, response) =>
        !String(response.getHeader('Content-Type')).startsWith('text/event-stream') &&
        compression.filter(request, response),
    }),
  );
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true }));
  renderViews(app);
  describeApi(app);

  // Nest's own listen logs a stack trace beside the error it throws.
  await app.init();
  const server: Server = app.getHttpServer();
  server.listen(environment.port, environment.host);
  await once(server, 'listening').catch(async (cause: NodeJS.ErrnoException) => {
    await app.close();
    throw new Error(
      `address "${environment.host}:${environment.port}" cannot be listened on (${cause.code ?? cause.message}): choose another ORDERS_PORT or correct ORDERS_HOST`,
      { cause },
    );
  });
  const { port } = server.address() as { port: number };
  const host = environment.host.includes(':') ? `[${environment.host}]` : environment.host;
  return { url: `http://${host}:${port}`, close: () => app.close() };
}
