import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CatalogModule } from '../catalog/catalog.module.js';
import { CartItem } from './cart-item.entity.js';
import { CartController } from './cart.controller.js';
import { Cart } from './cart.entity.js';
import { CartPages } from './cart.pages.js';
import { CartService } from './cart.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Cart, CartItem]), CatalogModule],
  controllers: [CartController, CartPages],
  providers: [CartService],
  exports: [CartService],
})
export class CartModule {}
