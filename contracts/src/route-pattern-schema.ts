import { z } from 'zod';
import { parseRoutePattern, type RoutePattern } from './route-pattern.js';

/** A route pattern of the plan; what is wrong with one is a problem with this remedy. */
export const routePatternSchema = (remedy: string) =>
  z.string().transform((text, context): RoutePattern => {
    try {
      return parseRoutePattern(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message, params: { remedy } });
      return z.NEVER;
    }
  });
