import {
  Catch,
  HttpException,
  Inject,
  Injectable,
  Logger,
  UseFilters,
  UseInterceptors,
  applyDecorators,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { sidOf } from '../shop/guards.js';
import { SHOP, type Shop } from '../shop/shop.js';

/** An absolute address as the client sees it. */
export const publicUrl = (request: Request, path: string): string =>
  `${request.protocol}://${request.host}${path}`;

/** What every page shows around its content; a shop that does not answer leaves a page for strangers. */
async function layoutModel(shop: Shop, request: Request): Promise<Record<string, unknown>> {
  const sid = sidOf(request);
  const [customer, csrf] =
    sid === undefined
      ? [null, '']
      : await Promise.all([shop.customer(sid), shop.csrf(sid)]).catch(() => [null, ''] as const);
  return { csrf, customer: customer && { name: customer.name, admin: customer.admin } };
}

@Injectable()
export class PageInterceptor implements NestInterceptor {
  constructor(@Inject(SHOP) private readonly shop: Shop) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    Object.assign(http.getResponse<Response>().locals, await layoutModel(this.shop, http.getRequest()));
    return next.handle();
  }
}

/** People get a page instead of JSON; who is not logged in gets the login. */
@Injectable()
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('pages');

  constructor(@Inject(SHOP) private readonly shop: Shop) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status === 401) {
      const next = request.method === 'GET' ? `?next=${encodeURIComponent(request.originalUrl)}` : '';
      response.redirect(302, publicUrl(request, `/login${next}`));
      return;
    }
    if (!(error instanceof HttpException)) this.logger.error(error);
    const message = error instanceof HttpException ? error.message : 'Something went wrong';
    const model = await layoutModel(this.shop, request);
    response.status(status).render('error', { ...model, title: `Error ${status}`, status, message });
  }
}

/** A controller of server-rendered pages. */
export const Page = (): ClassDecorator =>
  applyDecorators(ApiExcludeController(), UseInterceptors(PageInterceptor), UseFilters(PageErrorFilter));
