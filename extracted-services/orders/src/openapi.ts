import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** `/api/openapi.json` is the description of every route, `/api/docs` shows it to people. */
export function describeApi(app: INestApplication): void {
  const description = new DocumentBuilder()
    .setTitle('Orders')
    .setVersion('1.0')
    .addCookieAuth('shop_sid')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'x-csrf-token' }, 'csrf')
    .build();
  SwaggerModule.setup('api/docs', app, () => SwaggerModule.createDocument(app, description), {
    jsonDocumentUrl: 'api/openapi.json',
  });
}
