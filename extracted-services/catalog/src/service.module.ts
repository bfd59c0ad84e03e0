import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSourceOptions } from 'typeorm';
import { CatalogModule } from './catalog/catalog.module.js';
import type { Environment } from './environment.js';
import { HealthModule } from './health/health.module.js';
import { ReviewsModule } from './reviews/reviews.module.js';
import { SettingsModule } from './settings.module.js';

@Module({})
export class ServiceModule {
  static with(environment: Environment, database: DataSourceOptions): DynamicModule {
    return {
      module: ServiceModule,
      imports: [
        SettingsModule.with(environment),
        TypeOrmModule.forRoot({ ...database, autoLoadEntities: true, retryAttempts: 0 }),
        CatalogModule,
        ReviewsModule,
        HealthModule,
      ],
    };
  }
}
