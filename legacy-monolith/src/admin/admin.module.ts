import { Module } from '@nestjs/common';
import { FilesModule } from '../files/files.module.js';
import { ReviewsModule } from '../reviews/reviews.module.js';
import { StockModule } from '../stock/stock.module.js';
import { AdminController } from './admin.controller.js';
import { AdminPages } from './admin.pages.js';
import { AdminService } from './admin.service.js';

@Module({
  imports: [FilesModule, ReviewsModule, StockModule],
  controllers: [AdminController, AdminPages],
  providers: [AdminService],
})
export class AdminModule {}
