import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Request, Response } from 'express';
import { IsNull, MoreThan, Repository } from 'typeorm';
import { LocalClock } from '../local-time.js';
import { Customer } from './customer.entity.js';
import { verifyPassword } from './password.js';
import { Session } from './session.entity.js';
import type { Visitor, VisitorRequest } from './visitor.js';

export const SESSION_COOKIE = 'shop_sid';
/** Readable by scripts: the analytics people asked for it in 2014. */
export const CUSTOMER_COOKIE = 'cust';
const LIFETIME = { days: 14 };

@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    @InjectRepository(Customer) private readonly customers: Repository<Customer>,
    private readonly clock: LocalClock,
  ) {}

  async visitor(request: Request): Promise<Visitor> {
    const sid: unknown = request.cookies[SESSION_COOKIE];
    if (typeof sid !== 'string' || sid.length !== 64) return { session: null, customer: null };
    const session = await this.sessions.findOneBy({ sid, expires: MoreThan(this.clock.now()) });
    if (!session || session.customer_id === null) return { session, customer: null };
    return {
      session,
      customer: await this.customers.findOneBy({ id: session.customer_id, deleted: IsNull() }),
    };
  }

  /** The session of the request; a stranger gets one, and its cookie. */
  async ensure(request: VisitorRequest, response: Response): Promise<Session> {
    return request.visitor?.session ?? this.start(request, response, null);
  }

  async authenticate(email: string, password: string): Promise<Customer | null> {
    const customer = await this.customers.findOne({
      where: { email, deleted: IsNull() },
      order: { id: 'ASC' },
    });
    return customer && verifyPassword(password, customer.password_hash) ? customer : null;
  }

  /** A new session id at every login: one that was planted before is worth nothing after it. */
  async logIn(request: VisitorRequest, response: Response, customer: Customer): Promise<Session> {
    const before = request.visitor?.session;
    const session = await this.start(request, response, customer);
    if (before) {
      await this.sessions.manager.query('UPDATE cart SET sid = ?, customer_id = ? WHERE sid = ?', [
        session.sid,
        customer.id,
        before.sid,
      ]);
      await this.sessions.delete(before.sid);
    }
    response.cookie(CUSTOMER_COOKIE, String(customer.id), { sameSite: 'lax', secure: request.secure });
    return session;
  }

  async logOut(request: VisitorRequest, response: Response): Promise<void> {
    const session = request.visitor?.session;
    if (session) await this.sessions.delete(session.sid);
    response.clearCookie(SESSION_COOKIE, { httpOnly: true, sameSite: 'lax', secure: request.secure });
    response.clearCookie(CUSTOMER_COOKIE, { sameSite: 'lax', secure: request.secure });
  }

  private async start(
    request: VisitorRequest,
    response: Response,
    customer: Customer | null,
  ): Promise<Session> {
    const session = await this.sessions.save({
      sid: randomBytes(32).toString('hex'),
      customer_id: customer?.id ?? null,
      csrf: randomBytes(16).toString('hex'),
      data: null,
      expires: this.clock.after(LIFETIME),
    });
    request.visitor = { session, customer };
    response.cookie(SESSION_COOKIE, session.sid, { httpOnly: true, sameSite: 'lax', secure: request.secure });
    return session;
  }
}
