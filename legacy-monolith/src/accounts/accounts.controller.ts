import {
  Body,
  Controller,
  Get,
  HttpCode,
  Post,
  Req,
  Res,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import {
  ApiCookieAuth,
  ApiOkResponse,
  ApiProperty,
  ApiSecurity,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { IsString } from 'class-validator';
import type { Response } from 'express';
import type { Customer } from './customer.entity.js';
import { CustomerGuard } from './guards.js';
import { SessionsService } from './sessions.service.js';
import { CurrentCustomer, customerName, type VisitorRequest } from './visitor.js';

class Credentials {
  @ApiProperty({ example: 'customer17@shop.test' }) @IsString() email: string;
  @ApiProperty({ example: 'secret17' }) @IsString() password: string;
}

class CsrfAnswer {
  @ApiProperty() token: string;
}

class CustomerAnswer {
  @ApiProperty() id: number;
  @ApiProperty() email: string;
  @ApiProperty() name: string;
  @ApiProperty() admin: boolean;
}

class AddressAnswer {
  @ApiProperty({ type: String, nullable: true }) street: string | null;
  @ApiProperty({ type: String, nullable: true }) city: string | null;
  @ApiProperty({ type: String, nullable: true }) zip: string | null;
}

class LoginAnswer {
  @ApiProperty({ type: CustomerAnswer }) customer: CustomerAnswer;
  @ApiProperty({ description: 'of the new session' }) csrf: string;
}

const toCustomer = (customer: Customer): CustomerAnswer => ({
  id: customer.id,
  email: customer.email ?? '',
  name: customerName(customer),
  admin: customer.is_admin === 1,
});

@ApiTags('accounts')
@Controller('api')
export class AccountsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get('csrf')
  @ApiOkResponse({ type: CsrfAnswer })
  async csrf(
    @Req() request: VisitorRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CsrfAnswer> {
    const session = await this.sessions.ensure(request, response);
    return { token: session.csrf ?? '' };
  }

  @Post('login')
  @HttpCode(200)
  @ApiSecurity('csrf')
  @ApiOkResponse({ type: LoginAnswer })
  @ApiUnauthorizedResponse()
  async login(
    @Body() { email, password }: Credentials,
    @Req() request: VisitorRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<LoginAnswer> {
    const customer = await this.sessions.authenticate(email, password);
    if (!customer) throw new UnauthorizedException('E-mail or password is wrong');
    const session = await this.sessions.logIn(request, response, customer);
    return { customer: toCustomer(customer), csrf: session.csrf ?? '' };
  }

  @Get('me')
  @UseGuards(CustomerGuard)
  @ApiCookieAuth()
  @ApiOkResponse({ type: CustomerAnswer })
  @ApiUnauthorizedResponse()
  me(@CurrentCustomer() customer: Customer): CustomerAnswer {
    return toCustomer(customer);
  }
  @Get('me/address')
  @UseGuards(CustomerGuard)
  @ApiCookieAuth()
  @ApiOkResponse({ type: AddressAnswer })
  @ApiUnauthorizedResponse()
  address(@CurrentCustomer() { street, city, zip }: Customer): AddressAnswer {
    return { street, city, zip };
  }
}
