import { Controller, Get, NotFoundException, Param, ParseIntPipe, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Response } from 'express';
import { FilesService } from './files.service.js';

@ApiExcludeController()
@Controller('files')
export class FilesPages {
  constructor(private readonly files: FilesService) {}

  /** ETag, Last-Modified and Range are Express's. */
  @Get(':id')
  async download(@Param('id', ParseIntPipe) id: number, @Res() response: Response): Promise<void> {
    const file = await this.files.one(id);
    await new Promise<void>((resolve, reject) => {
      const headers = { 'Content-Type': file.mime ?? 'application/octet-stream' };
      response.download(
        this.files.pathOf(id),
        file.file_name ?? String(id),
        { headers, dotfiles: 'allow' },
        (error) => {
          if (!error || response.headersSent) resolve();
          else reject(new NotFoundException(`File ${id} not found`));
        },
      );
    });
  }
}
