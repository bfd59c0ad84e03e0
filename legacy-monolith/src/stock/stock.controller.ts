import {
  Controller,
  Get,
  Param,
  ParseIntPipe,
  Req,
  Res,
  type BeforeApplicationShutdown,
} from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { StockAnswer, StockService } from './stock.service.js';

const HEARTBEAT_MS = 15_000;

@ApiTags('stock')
@Controller('api/stock')
export class StockController implements BeforeApplicationShutdown {
  private readonly listeners = new Set<Response>();

  constructor(private readonly stock: StockService) {}

  @Get('stream')
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'one `stock` event a change, a comment at the start and as heartbeat' })
  stream(@Req() request: Request, @Res() response: Response): void {
    response
      .status(200)
      .set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
    response.write(': stock changes\n\n');
    const heartbeat = setInterval(() => response.write(': heartbeat\n\n'), HEARTBEAT_MS);
    const subscription = this.stock.changes.subscribe((change) =>
      response.write(`event: stock\ndata: ${JSON.stringify(change)}\n\n`),
    );
    this.listeners.add(response);
    request.socket.setNoDelay(true);
    response.on('close', () => {
      clearInterval(heartbeat);
      subscription.unsubscribe();
      this.listeners.delete(response);
    });
  }

  @Get(':id')
  @ApiParam({ name: 'id', example: 1 })
  @ApiOkResponse({ type: StockAnswer })
  @ApiNotFoundResponse()
  one(@Param('id', ParseIntPipe) id: number): Promise<StockAnswer> {
    return this.stock.one(id);
  }

  /** The server waits for open answers before it closes; these would stay open for ever. */
  beforeApplicationShutdown(): void {
    for (const listener of this.listeners) listener.end();
  }
}
