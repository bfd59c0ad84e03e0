import { Controller, Get, Param, ParseIntPipe, Query, Redirect, Render, Req } from '@nestjs/common';
import { Page } from '../accounts/page.js';
import type { VisitorRequest } from '../accounts/visitor.js';
import { CatalogService } from '../catalog/catalog.service.js';
import { ProductQuery } from '../catalog/product-query.js';
import { PublicUrl, type Redirection } from '../public-url.js';
import { ReviewsService } from '../reviews/reviews.service.js';
import { StockService } from '../stock/stock.service.js';

@Page()
@Controller()
export class StorefrontPages {
  constructor(
    private readonly catalog: CatalogService,
    private readonly reviews: ReviewsService,
    private readonly stock: StockService,
    private readonly publicUrl: PublicUrl,
  ) {}

  @Get()
  @Redirect()
  home(@Req() request: VisitorRequest): Redirection {
    return this.publicUrl.found(request, '/products');
  }

  @Get('products')
  @Render('products')
  async products(@Query() query: ProductQuery) {
    const list = await this.catalog.list(query);
    return {
      title: 'Products',
      ...paged('/products', query, list.total),
      list,
      categories: await this.catalog.categoryList(),
    };
  }

  @Get('categories/:slug')
  @Render('products')
  async category(@Param('slug') slug: string, @Query() query: ProductQuery) {
    const category = await this.catalog.category(slug);
    query.category = slug;
    const list = await this.catalog.list(query);
    const here = paged(`/categories/${encodeURIComponent(slug)}`, query, list.total);
    return { title: category.name, ...here, list, categories: category.children };
  }

  @Get('products/:id')
  @Render('product')
  async product(@Param('id', ParseIntPipe) id: number) {
    const product = await this.catalog.answer(await this.catalog.product(id));
    const { items: reviews } = await this.reviews.list(id, { page: 1, per_page: 20 });
    const rating = await this.reviews.rating(id);
    const { available } = await this.stock.one(id);
    return { title: product.name, product, reviews, rating, available };
  }
}

/** Links to the pages before and after this one, with the filters kept. */
function paged(path: string, query: ProductQuery, total: number) {
  const link = (page: number): string => {
    const parameters = new URLSearchParams({
      page: String(page),
      per_page: String(query.per_page),
      sort: query.sort,
    });
    if (query.tag) parameters.set('tag', query.tag);
    if (query.q) parameters.set('q', query.q);
    return `${path}?${parameters.toString()}`;
  };
  const last = Math.max(1, Math.ceil(total / query.per_page));
  return {
    path,
    query,
    last,
    before: query.page > 1 ? link(query.page - 1) : null,
    after: query.page < last ? link(query.page + 1) : null,
  };
}
