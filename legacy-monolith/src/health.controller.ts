import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { DataSource } from 'typeorm';

@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(private readonly database: DataSource) {}

  @Get()
  async health(): Promise<{ status: 'ok'; database: 'up' }> {
    await this.database.query('SELECT 1').catch((cause: unknown) => {
      throw new ServiceUnavailableException('The database does not answer', { cause });
    });
    return { status: 'ok', database: 'up' };
  }
}
