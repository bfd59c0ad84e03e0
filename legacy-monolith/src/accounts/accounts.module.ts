import { Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsController } from './accounts.controller.js';
import { Customer } from './customer.entity.js';
import { CsrfGuard, VisitorGuard } from './guards.js';
import { LoginPages } from './login.pages.js';
import { Session } from './session.entity.js';
import { SessionsService } from './sessions.service.js';

/** Global, because every page of every module needs a session. Guards run in this order. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([Customer, Session])],
  controllers: [AccountsController, LoginPages],
  providers: [
    SessionsService,
    { provide: APP_GUARD, useClass: VisitorGuard },
    { provide: APP_GUARD, useClass: CsrfGuard },
  ],
  exports: [SessionsService],
})
export class AccountsModule {}
