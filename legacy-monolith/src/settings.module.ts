import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from './environment.js';
import { LocalClock } from './local-time.js';
import { PublicUrl } from './public-url.js';

@Global()
@Module({})
export class SettingsModule {
  static with(environment: Environment): DynamicModule {
    return {
      module: SettingsModule,
      providers: [
        { provide: ENVIRONMENT, useValue: environment },
        { provide: LocalClock, useValue: new LocalClock(environment.timezone) },
        PublicUrl,
      ],
      exports: [ENVIRONMENT, LocalClock, PublicUrl],
    };
  }
}
