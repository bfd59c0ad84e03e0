import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { ENVIRONMENT, type Environment } from './environment.js';

export interface Redirection {
  readonly url: string;
  readonly statusCode: number;
}

/** Absolute addresses as the client sees them: SHOP_PUBLIC_URL, or Host and X-Forwarded-* of the request. */
@Injectable()
export class PublicUrl {
  constructor(@Inject(ENVIRONMENT) private readonly environment: Environment) {}

  of(request: Request, path: string): string {
    return `${this.environment.publicUrl ?? `${request.protocol}://${request.host}`}${path}`;
  }

  found(request: Request, path: string): Redirection {
    return { url: this.of(request, path), statusCode: 302 };
  }

  seeOther(request: Request, path: string): Redirection {
    return { url: this.of(request, path), statusCode: 303 };
  }
}
