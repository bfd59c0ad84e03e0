import { Controller, Get, Param, ParseIntPipe, Query } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  CategoryDetailAnswer,
  CategoryListAnswer,
  PriceAnswer,
  ProductAnswer,
  ProductPageAnswer,
  TagAnswer,
} from './answers.js';
import { CatalogService } from './catalog.service.js';
import { ProductQuery, SortedPageQuery } from './product-query.js';

@ApiTags('catalog')
@Controller('api')
export class CatalogController {
  constructor(private readonly catalog: CatalogService) {}

  @Get('products')
  @ApiOkResponse({ type: ProductPageAnswer })
  list(@Query() query: ProductQuery): Promise<ProductPageAnswer> {
    return this.catalog.list(query);
  }

  @Get('products/featured')
  @ApiOkResponse({ type: [ProductAnswer] })
  featured(): Promise<ProductAnswer[]> {
    return this.catalog.featured();
  }

  @Get('products/by-sku/:sku')
  @ApiParam({ name: 'sku', example: 'SH-00001' })
  @ApiOkResponse({ type: ProductAnswer })
  @ApiNotFoundResponse()
  bySku(@Param('sku') sku: string): Promise<ProductAnswer> {
    return this.catalog.productBySku(sku);
  }

  @Get('products/:id')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: ProductAnswer })
  @ApiNotFoundResponse()
  product(@Param('id', ParseIntPipe) id: number): Promise<ProductAnswer> {
    return this.catalog.product(id);
  }

  @Get('products/:id/related')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: [ProductAnswer] })
  @ApiNotFoundResponse()
  related(@Param('id', ParseIntPipe) id: number): Promise<ProductAnswer[]> {
    return this.catalog.related(id);
  }

  @Get('products/:id/price')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: PriceAnswer })
  @ApiNotFoundResponse()
  price(@Param('id', ParseIntPipe) id: number): Promise<PriceAnswer> {
    return this.catalog.price(id);
  }

  @Get('categories')
  @ApiOkResponse({ type: [CategoryListAnswer] })
  categories(): Promise<CategoryListAnswer[]> {
    return this.catalog.categoryList();
  }

  @Get('categories/:slug')
  @ApiParam({ name: 'slug', example: 'kueche' })
  @ApiOkResponse({ type: CategoryDetailAnswer })
  @ApiNotFoundResponse()
  category(@Param('slug') slug: string): Promise<CategoryDetailAnswer> {
    return this.catalog.category(slug);
  }

  @Get('categories/:slug/products')
  @ApiParam({ name: 'slug', example: 'kueche' })
  @ApiOkResponse({ type: ProductPageAnswer })
  @ApiNotFoundResponse()
  async categoryProducts(
    @Param('slug') slug: string,
    @Query() { page, per_page, sort }: SortedPageQuery,
  ): Promise<ProductPageAnswer> {
    const { slug: category } = await this.catalog.category(slug);
    return this.catalog.list({ page, per_page, sort, category });
  }

  @Get('tags')
  @ApiOkResponse({ type: [TagAnswer] })
  tags(): Promise<TagAnswer[]> {
    return this.catalog.tags();
  }
}
