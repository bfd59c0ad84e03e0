import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { ReviewsModule } from '../reviews/reviews.module.js';
import { StockModule } from '../stock/stock.module.js';
import { StorefrontPages } from './storefront.pages.js';

@Module({ imports: [CatalogModule, ReviewsModule, StockModule], controllers: [StorefrontPages] })
export class StorefrontModule {}
