import {
  Catch,
  HttpException,
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
import type { Response } from 'express';
import type { Observable } from 'rxjs';
import { PublicUrl } from '../public-url.js';
import { SessionsService } from './sessions.service.js';
import { customerName, visitorOf, type VisitorRequest } from './visitor.js';

/** What every page shows around its content. */
function layoutModel(request: VisitorRequest): Record<string, unknown> {
  const { session, customer } = visitorOf(request);
  return {
    csrf: session?.csrf ?? '',
    customer: customer && { name: customerName(customer), admin: customer.is_admin === 1 },
  };
}

/** Every page has a form, so every visitor of a page has a session. */
@Injectable()
export class PageInterceptor implements NestInterceptor {
  constructor(private readonly sessions: SessionsService) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<VisitorRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    await this.sessions.ensure(request, response);
    Object.assign(response.locals, layoutModel(request));
    return next.handle();
  }
}

/** People get a page instead of JSON; who is not logged in gets the login. */
@Injectable()
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('pages');

  constructor(private readonly publicUrl: PublicUrl) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<VisitorRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status === 401) {
      const next = request.method === 'GET' ? `?next=${encodeURIComponent(request.originalUrl)}` : '';
      response.redirect(302, this.publicUrl.of(request, `/login${next}`));
      return;
    }
    if (!(error instanceof HttpException)) this.logger.error(error);
    const message = error instanceof HttpException ? error.message : 'Something went wrong';
    response
      .status(status)
      .render('error', { ...layoutModel(request), title: `Error ${status}`, status, message });
  }
}

/** A controller of server-rendered pages. */
export const Page = (): ClassDecorator =>
  applyDecorators(ApiExcludeController(), UseInterceptors(PageInterceptor), UseFilters(PageErrorFilter));
