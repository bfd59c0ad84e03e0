import { Body, Controller, Get, Param, ParseIntPipe, Post, Redirect, Render, Req } from '@nestjs/common';
import { Page } from '../accounts/page.js';
import { CurrentVisitor, type Visitor, type VisitorRequest } from '../accounts/visitor.js';
import { PublicUrl, type Redirection } from '../public-url.js';
import { CartItemBody, CartService } from './cart.service.js';

@Page()
@Controller('cart')
export class CartPages {
  constructor(
    private readonly cart: CartService,
    private readonly publicUrl: PublicUrl,
  ) {}

  @Get()
  @Render('cart')
  async show(@CurrentVisitor() visitor: Visitor) {
    return { title: 'Cart', cart: await this.cart.show(visitor) };
  }

  @Post('items')
  @Redirect()
  async add(
    @CurrentVisitor() visitor: Visitor,
    @Body() body: CartItemBody,
    @Req() request: VisitorRequest,
  ): Promise<Redirection> {
    await this.cart.add(visitor, body);
    return this.publicUrl.seeOther(request, '/cart');
  }

  @Post('items/:id/remove')
  @Redirect()
  async remove(
    @CurrentVisitor() visitor: Visitor,
    @Param('id', ParseIntPipe) id: number,
    @Req() request: VisitorRequest,
  ): Promise<Redirection> {
    await this.cart.remove(visitor, id);
    return this.publicUrl.seeOther(request, '/cart');
  }
}
