import type { Answer } from './client.js';

/** The service names itself in its answers; legacy knows nothing of a migration and does not. */
export const isFromService = (answer: Answer): boolean => answer.headers['x-served-by'] === 'catalog';
