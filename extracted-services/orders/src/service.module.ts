import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import type { Environment } from './environment.js';
import { HealthModule } from './health/health.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { SettingsModule } from './settings.module.js';
import { ShopModule } from './shop/shop.module.js';
import type { Shop } from './shop/shop.js';
import { StockModule } from './stock/stock.module.js';

@Module({})
export class ServiceModule {
  static with(environment: Environment, database: DataSourceOptions, shop: Shop): DynamicModule {
    return {
      module: ServiceModule,
      imports: [
        SettingsModule.with(environment),
        ShopModule.with(shop),
        TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, retryAttempts: 0 }),
        OrdersModule,
        StockModule,
        HealthModule,
      ],
    };
  }
}
