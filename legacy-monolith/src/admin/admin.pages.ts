import {
  Body,
  Controller,
  Get,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Redirect,
  Render,
  Req,
  UseGuards,
} from '@nestjs/common';
import { AdminGuard } from '../accounts/guards.js';
import { Page } from '../accounts/page.js';
import type { VisitorRequest } from '../accounts/visitor.js';
import { PageQuery } from '../catalog/product-query.js';
import { productStatuses } from '../catalog/product.entity.js';
import { PublicUrl, type Redirection } from '../public-url.js';
import { AdminService } from './admin.service.js';
import { ProductChangeBody } from './product-body.js';

@Page()
@UseGuards(AdminGuard)
@Controller('admin')
export class AdminPages {
  constructor(
    private readonly admin: AdminService,
    private readonly publicUrl: PublicUrl,
  ) {}

  @Get()
  @Render('admin')
  async overview() {
    return { title: 'Admin', counts: await this.admin.counts() };
  }

  @Get('products')
  @Render('admin-products')
  async products(@Query() { page }: PageQuery) {
    const products = await this.admin.products(page);
    return { title: 'Admin: products', products, page, statuses: productStatuses };
  }

  @Post('products/:id')
  @Redirect()
  async change(
    @Param('id', ParseIntPipe) id: number,
    @Body() body: ProductChangeBody,
    @Req() request: VisitorRequest,
  ): Promise<Redirection> {
    await this.admin.change(id, body);
    return this.publicUrl.seeOther(request, '/admin/products');
  }
}
