import { Body, Controller, Delete, Get, Param, ParseIntPipe, Post } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiCookieAuth,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiSecurity,
  ApiTags,
} from '@nestjs/swagger';
import { CurrentVisitor, type Visitor } from '../accounts/visitor.js';
import { CartAnswer, CartItemBody, CartService } from './cart.service.js';

@ApiTags('cart')
@ApiCookieAuth()
@Controller('api/cart')
export class CartController {
  constructor(private readonly cart: CartService) {}

  @Get()
  @ApiOkResponse({ type: CartAnswer })
  show(@CurrentVisitor() visitor: Visitor): Promise<CartAnswer> {
    return this.cart.show(visitor);
  }

  @Post('items')
  @ApiSecurity('csrf')
  @ApiCreatedResponse({ type: CartAnswer })
  @ApiNotFoundResponse()
  @ApiConflictResponse()
  add(@CurrentVisitor() visitor: Visitor, @Body() body: CartItemBody): Promise<CartAnswer> {
    return this.cart.add(visitor, body);
  }

  @Delete('items/:id')
  @ApiSecurity('csrf')
  @ApiOkResponse({ type: CartAnswer })
  @ApiNotFoundResponse()
  remove(@CurrentVisitor() visitor: Visitor, @Param('id', ParseIntPipe) id: number): Promise<CartAnswer> {
    return this.cart.remove(visitor, id);
  }
}
