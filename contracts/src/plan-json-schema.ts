import { z } from 'zod';
import { planSchema } from './plan.js';

/** The JSON Schema (2020-12) of a plan as it is written, for editors. An `!env NAME` counts as the string it stands for. */
export const planJsonSchema = (): object => ({
  title: 'Plan of the strangler toolkit',
  ...z.toJSONSchema(planSchema, { io: 'input', unrepresentable: 'any' }),
});
