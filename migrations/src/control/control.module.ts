import { type DynamicModule, Module } from '@nestjs/common';
import type { Control } from '../transition/control.js';
import { CONTROL, ControlController } from './control.controller.js';

@Module({})
export class ControlModule {
  static for(control: Control): DynamicModule {
    return {
      module: ControlModule,
      controllers: [ControlController],
      providers: [{ provide: CONTROL, useValue: control }],
    };
  }
}
