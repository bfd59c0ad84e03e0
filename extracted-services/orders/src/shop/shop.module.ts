import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { CsrfGuard } from './guards.js';
import { SHOP, type Shop } from './shop.js';

/** Global, because everything asks whose request it is. */
@Global()
@Module({})
export class ShopModule {
  static with(shop: Shop): DynamicModule {
    return {
      module: ShopModule,
      providers: [
        { provide: SHOP, useValue: shop },
        { provide: APP_GUARD, useClass: CsrfGuard },
      ],
      exports: [SHOP],
    };
  }
}
