import {
  Body,
  Catch,
  Controller,
  HttpException,
  Logger,
  Post,
  Redirect,
  Req,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CurrentCustomer, CurrentSession, CustomerGuard } from '../shop/guards.js';
import type { Customer, Session } from '../shop/shop.js';
import { CheckoutBody } from './answers.js';
import { CheckoutService } from './checkout.service.js';

const here = (request: Request, path: string): string => `${request.protocol}://${request.host}${path}`;

/** People get a page instead of JSON; who is not logged in gets the login. */
@Catch()
export class PageErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('pages');

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const status = error instanceof HttpException ? error.getStatus() : 500;
    if (status === 401) {
      response.redirect(302, here(request, '/login'));
      return;
    }
    if (!(error instanceof HttpException)) this.logger.error(error);
    const message = error instanceof HttpException ? error.message : 'Something went wrong';
    response
      .status(status)
      .type('html')
      .send(page(`Error ${status}`, message));
  }
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const page = (title: string, message: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escaped(title)} - Shop</title></head>
<body>
<nav><a href="/products">Products</a> <a href="/cart">Cart</a> <a href="/orders">Orders</a></nav>
<h1>${escaped(title)}</h1>
<p class="problem">${escaped(message)}</p>
</body>
</html>
`;

/** The button "Order now" of the shop's cart page. The pages themselves stay the shop's: they only read. */
@ApiExcludeController()
@UseFilters(PageErrorFilter)
@UseGuards(CustomerGuard)
@Controller('checkout')
export class CheckoutPage {
  constructor(private readonly checkout: CheckoutService) {}

  @Post()
  @Redirect()
  async checkOut(
    @CurrentSession() session: Session,
    @CurrentCustomer() customer: Customer,
    @Body() { method }: CheckoutBody,
    @Req() request: Request,
  ): Promise<{ url: string; statusCode: number }> {
    const orderNo = await this.checkout.checkOut(session, customer, method);
    return { url: here(request, `/orders/${orderNo}`), statusCode: 303 };
  }
}
