import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, NotFoundException } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ENVIRONMENT, type Environment } from '../environment.js';
import { LocalClock } from '../local-time.js';
import { ProductFile } from './product-file.entity.js';

export class FileAnswer {
  @ApiProperty() id: number;
  @ApiProperty() product_id: number;
  @ApiProperty() file_name: string;
  @ApiProperty() mime: string;
  @ApiProperty() bytes: number;
  @ApiProperty({ description: 'where it is downloaded' }) path: string;
}

export interface Upload {
  readonly name: string;
  readonly mime: string;
  readonly content: Buffer;
}

/** Rows are in the database, contents in a folder of the machine: one file a row, named by its id. */
@Injectable()
export class FilesService {
  constructor(
    @InjectRepository(ProductFile) private readonly files: Repository<ProductFile>,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    private readonly clock: LocalClock,
  ) {}

  async store(productId: number, { name, mime, content }: Upload): Promise<FileAnswer> {
    const row = await this.files.save({
      product_id: productId,
      file_name: name,
      mime,
      bytes: content.length,
      created: this.clock.now(),
    });
    await mkdir(this.environment.uploadDir, { recursive: true });
    await writeFile(this.pathOf(row.id), content);
    const { id } = row;
    return { id, product_id: productId, file_name: name, mime, bytes: content.length, path: `/files/${id}` };
  }

  async one(id: number): Promise<ProductFile> {
    const row = await this.files.findOneBy({ id });
    if (!row) throw new NotFoundException(`File ${id} not found`);
    return row;
  }

  pathOf(id: number): string {
    return join(this.environment.uploadDir, String(id));
  }
}
