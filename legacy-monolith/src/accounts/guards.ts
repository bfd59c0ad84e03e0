import {
  ForbiddenException,
  Injectable,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { SessionsService } from './sessions.service.js';
import { visitorOf, type VisitorRequest } from './visitor.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

const requestOf = (context: ExecutionContext): VisitorRequest => context.switchToHttp().getRequest();

/** On every route: finds out who is asking. */
@Injectable()
export class VisitorGuard implements CanActivate {
  constructor(private readonly sessions: SessionsService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    request.visitor = await this.sessions.visitor(request);
    return true;
  }
}

/** On every route: what changes something needs the token of the session, in `_csrf` of a form or in `x-csrf-token`. */
@Injectable()
export class CsrfGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context);
    if (SAFE_METHODS.has(request.method)) return true;
    const expected = visitorOf(request).session?.csrf;
    const body = request.body as Record<string, unknown> | undefined;
    const given = request.get('x-csrf-token') ?? body?.['_csrf'];
    if (!expected || given !== expected) throw new ForbiddenException('CSRF token missing or wrong');
    return true;
  }
}

@Injectable()
export class CustomerGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (!visitorOf(requestOf(context)).customer) throw new UnauthorizedException('Please log in');
    return true;
  }
}

@Injectable()
export class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { customer } = visitorOf(requestOf(context));
    if (!customer) throw new UnauthorizedException('Please log in');
    if (customer.is_admin !== 1) throw new ForbiddenException('Only for admins');
    return true;
  }
}
