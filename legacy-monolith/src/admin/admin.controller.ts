import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  HttpCode,
  Param,
  ParseIntPipe,
  Patch,
  Post,
  Put,
  UploadedFile,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import {
  ApiBody,
  ApiConsumes,
  ApiCookieAuth,
  ApiCreatedResponse,
  ApiForbiddenResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiProperty,
  ApiSecurity,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { memoryStorage } from 'multer';
import { DataSource } from 'typeorm';
import { AdminGuard } from '../accounts/guards.js';
import { FileAnswer, FilesService } from '../files/files.service.js';
import { LocalClock } from '../local-time.js';
import { runNightly } from '../nightly/run-nightly.js';
import { ReviewAnswer } from '../reviews/answers.js';
import { ReviewsService } from '../reviews/reviews.service.js';
import { StockAnswer, StockService } from '../stock/stock.service.js';
import { AdminProductAnswer, AdminService } from './admin.service.js';
import { NewProductBody, ProductChangeBody } from './product-body.js';

const MAX_UPLOAD_BYTES = 5 * 1024 * 1024;

class StockBody {
  @ApiProperty() @IsInt() @Min(0) @Max(1_000_000) on_hand: number;
}

class NightlyAnswer {
  @ApiProperty() run: number;
  @ApiProperty() note: string;
}

@ApiTags('admin')
@ApiCookieAuth()
@ApiSecurity('csrf')
@ApiUnauthorizedResponse()
@ApiForbiddenResponse()
@UseGuards(AdminGuard)
@Controller('api/admin')
export class AdminController {
  constructor(
    private readonly admin: AdminService,
    private readonly stock: StockService,
    private readonly files: FilesService,
    private readonly reviews: ReviewsService,
    private readonly database: DataSource,
    private readonly clock: LocalClock,
  ) {}

  @Post('products')
  @ApiCreatedResponse({ type: AdminProductAnswer })
  create(@Body() body: NewProductBody): Promise<AdminProductAnswer> {
    return this.admin.create(body);
  }

  @Patch('products/:id')
  @ApiOkResponse({ type: AdminProductAnswer })
  @ApiNotFoundResponse()
  change(
    @Param('id', ParseIntPipe) id: number,
    @Body() body: ProductChangeBody,
  ): Promise<AdminProductAnswer> {
    return this.admin.change(id, body);
  }

  @Delete('products/:id')
  @HttpCode(204)
  @ApiNoContentResponse()
  @ApiNotFoundResponse()
  remove(@Param('id', ParseIntPipe) id: number): Promise<void> {
    return this.admin.remove(id);
  }

  @Post('products/:id/file')
  @UseInterceptors(
    FileInterceptor('file', {
      storage: memoryStorage(),
      limits: { fileSize: MAX_UPLOAD_BYTES },
      defParamCharset: 'utf8',
    }),
  )
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } } } })
  @ApiCreatedResponse({ type: FileAnswer })
  @ApiNotFoundResponse()
  async upload(
    @Param('id', ParseIntPipe) id: number,
    @UploadedFile() file: Express.Multer.File | undefined,
  ): Promise<FileAnswer> {
    if (!file) throw new BadRequestException('The form has no file');
    await this.admin.row(id);
    return this.files.store(id, { name: file.originalname, mime: file.mimetype, content: file.buffer });
  }

  @Put('stock/:id')
  @ApiOkResponse({ type: StockAnswer })
  @ApiNotFoundResponse()
  setStock(@Param('id', ParseIntPipe) id: number, @Body() { on_hand }: StockBody): Promise<StockAnswer> {
    return this.stock.set(id, on_hand);
  }

  @Post('reviews/:id/approve')
  @HttpCode(200)
  @ApiOkResponse({ type: ReviewAnswer })
  @ApiNotFoundResponse()
  approve(@Param('id', ParseIntPipe) id: number): Promise<ReviewAnswer> {
    return this.reviews.approve(id);
  }

  @Post('jobs/nightly')
  @HttpCode(200)
  @ApiOkResponse({ type: NightlyAnswer })
  nightly(): Promise<NightlyAnswer> {
    return runNightly(this.database, this.clock);
  }
}
