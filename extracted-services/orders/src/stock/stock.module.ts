import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { StockChanges } from './stock-changes.js';
import { StockLevel } from './stock-level.entity.js';
import { StockReservation } from './stock-reservation.entity.js';
import { StockController } from './stock.controller.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([StockLevel, StockReservation])],
  controllers: [StockController],
  providers: [StockService, StockChanges],
})
export class StockModule {}
