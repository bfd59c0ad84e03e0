import { Global, Module, type DynamicModule } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from './environment.js';
import { Clock } from './local-time.js';

@Global()
@Module({})
export class SettingsModule {
  static with(environment: Environment): DynamicModule {
    return {
      module: SettingsModule,
      providers: [
        { provide: ENVIRONMENT, useValue: environment },
        { provide: Clock, useFactory: () => new Clock(environment.timezone) },
      ],
      exports: [ENVIRONMENT, Clock],
    };
  }
}
