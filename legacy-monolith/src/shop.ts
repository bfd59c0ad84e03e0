import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import cookieParser from 'cookie-parser';
import { Eta } from 'eta';
import { dataSourceOptions, inspectDatabase } from './database.js';
import type { Environment } from './environment.js';
import { describeApi } from './openapi.js';
import { ShopModule } from './shop.module.js';

export interface Shop {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

const VIEWS = resolve(import.meta.dirname, '../views');

/** Starts the shop on its database. Throws one sentence when the database, its schema or the port is not to be had. */
export async function startShop(environment: Environment): Promise<Shop> {
  const engine = await inspectDatabase(environment.databaseUrl);
  const app = await NestFactory.create<NestExpressApplication>(
    ShopModule.with(environment, dataSourceOptions(engine, environment.databaseUrl)),
    { logger: ['error', 'warn'], abortOnError: false },
  );

  app.set('trust proxy', 'loopback, linklocal, uniquelocal');
  // An event stream that is compressed is held back until the encoder has a block full.
  app.use(
    compression({
      threshold: 512,
      filter: (request, response) =>
        !String(response.getHeader('Content-Type')).startsWith('text/event-stream') &&
        compression.filter(request, response),
    }),
  );
  app.use(cookieParser());
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true }));

  const eta = new Eta({ views: VIEWS, cache: true });
  app.engine('eta', (path: string, model: object, done: (error: unknown, html?: string) => void) => {
    try {
      done(null, eta.render(path.slice(VIEWS.length, -'.eta'.length), model));
    } catch (error) {
      done(error);
    }
  });
  app.setBaseViewsDir(VIEWS);
  app.setViewEngine('eta');
  describeApi(app);

  const host = environment.host.includes(':') ? `[${environment.host}]` : environment.host;
  const server: Server = app.getHttpServer();
  try {
    await app.init();
    await once(server.listen(environment.port, environment.host), 'listening');
  } catch (cause) {
    await app.close();
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw cause;
    const address = `${host}:${environment.port}`;
    throw new Error(
      `address "${address}" cannot be used (${code}): set SHOP_PORT or SHOP_HOST to a free one`,
      { cause },
    );
  }
  const { port } = server.address() as AddressInfo;
  return { url: `http://${host}:${port}`, close: () => app.close() };
}
