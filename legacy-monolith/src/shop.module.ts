import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { AccountsModule } from './accounts/accounts.module.js';
import { AdminModule } from './admin/admin.module.js';
import { CartModule } from './cart/cart.module.js';
import { CatalogModule } from './catalog/catalog.module.js';
import type { Environment } from './environment.js';
import { FilesModule } from './files/files.module.js';
import { HealthController } from './health.controller.js';
import { OrdersModule } from './orders/orders.module.js';
import { ReviewsModule } from './reviews/reviews.module.js';
import { SettingsModule } from './settings.module.js';
import { StockModule } from './stock/stock.module.js';
import { StorefrontModule } from './storefront/storefront.module.js';

@Module({})
export class ShopModule {
  static with(environment: Environment, database: DataSourceOptions): DynamicModule {
    return {
      module: ShopModule,
      imports: [
        SettingsModule.with(environment),
        TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, retryAttempts: 0 }),
        AccountsModule,
        CatalogModule,
        ReviewsModule,
        StockModule,
        StorefrontModule,
        CartModule,
        OrdersModule,
        FilesModule,
        AdminModule,
      ],
      controllers: [HealthController],
    };
  }
}
