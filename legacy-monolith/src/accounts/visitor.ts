import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Customer } from './customer.entity.js';
import type { Session } from './session.entity.js';

/** Who sent the request. A customer always has a session; a session may be a stranger's. */
export interface Visitor {
  session: Session | null;
  customer: Customer | null;
}

export interface VisitorRequest extends Request {
  visitor?: Visitor;
}

export const visitorOf = (request: VisitorRequest): Visitor =>
  request.visitor ?? { session: null, customer: null };

export const customerName = ({ first_name, last_name }: Customer): string =>
  [first_name, last_name].filter(Boolean).join(' ');

export const CurrentVisitor = createParamDecorator((_: unknown, context: ExecutionContext) =>
  visitorOf(context.switchToHttp().getRequest<VisitorRequest>()),
);

/** Only on routes behind CustomerGuard or AdminGuard, which let nobody else in. */
export const CurrentCustomer = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    visitorOf(context.switchToHttp().getRequest<VisitorRequest>()).customer,
);
