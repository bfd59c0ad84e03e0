import { resolve } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Eta } from 'eta';

const VIEWS = resolve(import.meta.dirname, '../../views');

/** Pages from the templates in `views`, which are the shop's. */
export function renderViews(app: NestExpressApplication): void {
  const eta = new Eta({ views: VIEWS, cache: true });
  app.engine('eta', (path: string, model: object, done: (error: unknown, html?: string) => void) => {
    try {
      done(null, eta.render(path.slice(VIEWS.length, -'.eta'.length), model));
    } catch (error) {
      done(error);
    }
  });
  app.setBaseViewsDir(VIEWS);
  app.setViewEngine('eta');
}
