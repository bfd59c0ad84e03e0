import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { inputInvalid } from '../errors.js';
import { reportMarkdown } from '../report/markdown.js';
import { reportPage } from '../report/page.js';
import { statusOf } from '../report/report.js';
import type { Control } from '../transition/control.js';
import { approve } from '../transition/approve.js';
import { cutOver } from '../transition/cut-over.js';
import { advance, rollback, verify } from '../transition/pipeline.js';
import { retire } from '../transition/retire.js';
import { adminOf } from './admin-of.js';
import { reportNow } from './report-now.js';
import {
  advanceSchema,
  approveSchema,
  cutoverSchema,
  parseWish,
  rollbackSchema,
  verifySchema,
} from './wishes.js';

/** What everything here works with. */
export const CONTROL = Symbol('Control');

/** Below the 30 s after which a subscriber gives up. */
const LONG_POLL_MS = 20_000;

@Controller()
export class ControlController {
  readonly #control: Control;
  constructor(@Inject(CONTROL) control: Control) {
    this.#control = control;
  }

  @Get('health')
  health() {
    return { status: 'ok' };
  }

  /** 200 with the first state newer than `after`, 204 when there was none for 20 s. Asking acknowledges `after`. */
  @Get('v1/state')
  async state(
    @Query('after') after: string | undefined,
    @Query('subscriber') subscriber: string | undefined,
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const version = Number(after ?? '0');
    if (!Number.isSafeInteger(version) || version < 0)
      throw inputInvalid('after', `is "${after}": give the version that is in force, 0 for none`);
    const { feed, subscribers } = this.#control;
    if (subscriber !== undefined) subscribers.seen(subscriber.slice(0, 100), version, adminOf(request));
    const hungUp = new AbortController();
    response.once('close', () => {
      if (response.writableFinished) return;
      hungUp.abort();
      if (subscriber !== undefined) subscribers.gone(subscriber.slice(0, 100));
    });
    const state = await feed.next(
      version,
      AbortSignal.any([hungUp.signal, AbortSignal.timeout(LONG_POLL_MS)]),
    );
    if (hungUp.signal.aborted) return;
    if (state === undefined) response.writeHead(204).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(state));
  }

  /** A subscriber that ends. */
  @Delete('v1/subscribers/:name')
  @HttpCode(204)
  left(@Param('name') name: string): void {
    this.#control.subscribers.left(name.slice(0, 100));
  }

  @Get('v1/status')
  async status() {
    return statusOf(await reportNow(this.#control));
  }

  @Post('v1/migrations/:name/advance')
  @HttpCode(200)
  advance(@Param('name') name: string, @Body() body: unknown) {
    return advance(this.#control, name, parseWish(advanceSchema, body));
  }

  @Post('v1/migrations/:name/rollback')
  @HttpCode(200)
  rollback(@Param('name') name: string, @Body() body: unknown) {
    return rollback(this.#control, name, parseWish(rollbackSchema, body));
  }

  @Post('v1/migrations/:name/cutover')
  @HttpCode(200)
  cutover(@Param('name') name: string, @Body() body: unknown) {
    return cutOver(this.#control, name, parseWish(cutoverSchema, body));
  }

  @Post('v1/migrations/:name/approve')
  @HttpCode(200)
  approve(@Param('name') name: string, @Body() body: unknown) {
    return approve(this.#control, name, parseWish(approveSchema, body));
  }

  @Post('v1/migrations/:name/retire')
  @HttpCode(200)
  retire(@Param('name') name: string, @Body() body: unknown) {
    return retire(this.#control, name, parseWish(cutoverSchema, body));
  }

  @Post('v1/migrations/:name/verify')
  @HttpCode(200)
  verify(@Param('name') name: string, @Body() body: unknown) {
    const { by, ...wish } = parseWish(verifySchema, body);
    return verify(this.#control, name, by, wish);
  }

  @Get('v1/report.json')
  async reportJson() {
    return reportNow(this.#control);
  }

  @Get('v1/report.html')
  @Header('content-type', 'text/html; charset=utf-8')
  async reportHtml() {
    return reportPage(await reportNow(this.#control));
  }

  @Get('v1/report.md')
  @Header('content-type', 'text/markdown; charset=utf-8')
  async reportMd() {
    return reportMarkdown(await reportNow(this.#control));
  }
}
