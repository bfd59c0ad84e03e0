import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogController } from './catalog.controller.js';
import { CatalogService } from './catalog.service.js';
import { Category } from './category.entity.js';
import { ProductAnswers } from './product-answers.js';
import { ProductTag } from './product-tag.entity.js';
import { Product } from './product.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([Category, Product, ProductTag])],
  controllers: [CatalogController],
  providers: [CatalogService, ProductAnswers],
  exports: [CatalogService],
})
export class CatalogModule {}
