import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { pendingMigrations } from '../database.js';

/** Longer than any healthy database takes, shorter than a prober waits. */
const DATABASE_DEADLINE_MS = 1_500;

@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly dataSource: DataSource,
  ) {}

  /** The process answers. Whether its database does is no reason to restart it. */
  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([]);
  }

  /** It can serve: the database answers and every migration of this program has run. */
  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([
      () =>
        this.indicators
          .check('database')
          .attempt(() => this.askDatabase())
          .withTimeout(DATABASE_DEADLINE_MS),
    ]);
  }

  private async askDatabase(): Promise<void> {
    const pending = await pendingMigrations((sql) => this.dataSource.query(sql));
    if (pending.length > 0) throw new Error(`migrations have not run: ${pending.join(', ')}`);
  }
}
