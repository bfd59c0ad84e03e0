import { Body, Controller, Get, Post, Query, Redirect, Render, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { PublicUrl, type Redirection } from '../public-url.js';
import { Page } from './page.js';
import { SessionsService } from './sessions.service.js';
import type { VisitorRequest } from './visitor.js';

/** Only a path of this shop: anything else would make the login a redirector to wherever a mail says. */
const ownPath = (next: unknown): string =>
  typeof next === 'string' && /^\/(?![/\\])[^\s\\]*$/.test(next) ? next : '/products';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

@Page()
@Controller()
export class LoginPages {
  constructor(
    private readonly sessions: SessionsService,
    private readonly publicUrl: PublicUrl,
  ) {}

  @Get('login')
  @Render('login')
  form(@Query('next') next?: string) {
    return { title: 'Log in', next: ownPath(next), email: '', problem: null };
  }

  @Post('login')
  async login(
    @Body() body: Record<string, unknown>,
    @Req() request: VisitorRequest,
    @Res() response: Response,
  ): Promise<void> {
    const email = text(body['email']);
    const next = ownPath(body['next']);
    const customer = await this.sessions.authenticate(email, text(body['password']));
    if (!customer) {
      const problem = 'E-mail or password is wrong';
      response.status(401).render('login', { title: 'Log in', next, email, problem });
      return;
    }
    await this.sessions.logIn(request, response, customer);
    response.redirect(303, this.publicUrl.of(request, next));
  }

  @Post('logout')
  @Redirect()
  async logout(
    @Req() request: VisitorRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Redirection> {
    await this.sessions.logOut(request, response);
    return this.publicUrl.seeOther(request, '/products');
  }
}
