import {
  Body,
  Controller,
  Get,
  Param,
  ParseIntPipe,
  Put,
  Req,
  Res,
  UseGuards,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import {
  ApiCookieAuth,
  ApiForbiddenResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiParam,
  ApiProduces,
  ApiSecurity,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { AdminGuard } from '../shop/guards.js';
import { StockAnswer, StockBody } from './answers.js';
import { StockChanges } from './stock-changes.js';
import { StockService } from './stock.service.js';

const HEARTBEAT_MS = 15_000;

@ApiTags('stock')
@Controller('api')
export class StockController implements BeforeApplicationShutdown {
  private readonly open = new Set<Response>();

  constructor(
    private readonly stock: StockService,
    private readonly changes: StockChanges,
  ) {}

  @Get('stock/stream')
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'one `stock` event a change, a comment at the start and as heartbeat' })
  async stream(@Req() request: Request, @Res() response: Response): Promise<void> {
    const end = await this.changes.listen((change) =>
      response.write(`event: stock\ndata: ${JSON.stringify(change)}\n\n`),
    );
    response
      .status(200)
      .set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
    response.write(': stock changes\n\n');
    const heartbeat = setInterval(() => response.write(': heartbeat\n\n'), HEARTBEAT_MS);
    this.open.add(response);
    request.socket.setNoDelay(true);
    response.on('close', () => {
      clearInterval(heartbeat);
      end();
      this.open.delete(response);
    });
    if (request.socket.destroyed) response.destroy();
  }

  @Get('stock/:id')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: StockAnswer })
  @ApiNotFoundResponse()
  one(@Param('id', ParseIntPipe) id: number): Promise<StockAnswer> {
    return this.stock.one(id);
  }

  @Put('admin/stock/:id')
  @UseGuards(AdminGuard)
  @ApiCookieAuth()
  @ApiSecurity('csrf')
  @ApiOkResponse({ type: StockAnswer })
  @ApiUnauthorizedResponse()
  @ApiForbiddenResponse()
  @ApiNotFoundResponse()
  set(@Param('id', ParseIntPipe) id: number, @Body() { on_hand }: StockBody): Promise<StockAnswer> {
    return this.stock.set(id, on_hand);
  }

  /** The server waits for open answers before it closes; these would stay open for ever. */
  beforeApplicationShutdown(): void {
    for (const response of this.open) response.end();
  }
}
