import type { ServerResponse } from 'node:http';
import { type ArgumentsHost, Catch } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { answerFenced, controlSchemaOf, fencedError, fenceEpoch, serviceGuard } from '@strangler/contracts';
import { DataSource, QueryFailedError } from 'typeorm';

/** The tables that change sides together. */
const TABLES = ['customer_order', 'order_item', 'payment', 'stock_level', 'stock_reservation'];

/** A write that met the fence is asked for again: soon the other side takes it, or this one. */
@Catch(QueryFailedError)
class FenceFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const fenced = fencedError(error);
    const answerOther = super.catch.bind(this);
    if (fenced) answerFenced(host.switchToHttp().getResponse<ServerResponse>(), fenced);
    else answerOther(error, host);
  }
}

/** Refuses writes of a proxy that has not heard that the writes have changed sides, before anything of them is done. */
export function guardWrites(app: NestExpressApplication, databaseUrl: string): void {
  const schema = decodeURIComponent(new URL(databaseUrl).pathname.slice(1));
  const ask = (sql: string, values: unknown[]) => app.get(DataSource).query<unknown>(sql, values);
  app.use(serviceGuard({ epochOf: fenceEpoch(ask, controlSchemaOf({ schema }), TABLES) }));
  app.useGlobalFilters(new FenceFilter(app.get(HttpAdapterHost).httpAdapter));
}
