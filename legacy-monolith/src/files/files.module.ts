import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FilesPages } from './files.pages.js';
import { FilesService } from './files.service.js';
import { ProductFile } from './product-file.entity.js';

@Module({
  imports: [TypeOrmModule.forFeature([ProductFile])],
  controllers: [FilesPages],
  providers: [FilesService],
  exports: [FilesService],
})
export class FilesModule {}
