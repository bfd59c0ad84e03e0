import {
  ForbiddenException,
  Inject,
  Injectable,
  UnauthorizedException,
  createParamDecorator,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request } from 'express';
import { SHOP, type Customer, type Session, type Shop } from './shop.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const SESSION_COOKIE = /(?:^|;)\s*shop_sid=([0-9a-f]{64})(?:;|$)/;

/** What guards have found out of a request. */
interface AskedRequest extends Request {
  session?: Session;
  customer?: Customer;
}

const requestOf = (context: ExecutionContext): AskedRequest => context.switchToHttp().getRequest();
/** The session of the shop that a request belongs to, if it says one. */
export const sidOf = (request: Request): string | undefined =>
  SESSION_COOKIE.exec(request.get('cookie') ?? '')?.[1];

/** On every route: what changes something needs the token of the session, in `_csrf` of a form or in `x-csrf-token`. */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(@Inject(SHOP) private readonly shop: Shop) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    if (SAFE_METHODS.has(request.method)) return true;
    const sid = sidOf(request);
    const body = request.body as Record<string, unknown> | undefined;
    const given = request.get('x-csrf-token') ?? body?.['_csrf'];
    const csrf = sid === undefined || !given ? '' : await this.shop.csrf(sid);
    if (sid === undefined || csrf === '' || given !== csrf)
      throw new ForbiddenException('CSRF token missing or wrong');
    request.session = { sid, csrf };
    return true;
  }
}

@Injectable()
export class CustomerGuard implements CanActivate {
  constructor(@Inject(SHOP) private readonly shop: Shop) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = requestOf(context);
    const sid = sidOf(request);
    const customer = sid === undefined ? null : await this.shop.customer(sid);
    if (!customer) throw new UnauthorizedException('Please log in');
    request.customer = customer;
    return true;
  }
}

@Injectable()
export class AdminGuard extends CustomerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    if (requestOf(context).customer?.admin !== true) throw new ForbiddenException('Only for admins');
    return true;
  }
}

/** Only on routes behind CustomerGuard or AdminGuard, which let nobody else in. */
export const CurrentCustomer = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf(context).customer,
);

/** Only on routes that change something: CsrfGuard has found it. */
export const CurrentSession = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf(context).session,
);
