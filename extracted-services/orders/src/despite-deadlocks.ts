import { QueryFailedError } from 'typeorm';

const ATTEMPTS = 10;

/** The server undid everything because of somebody else: a deadlock, or a row changed since the first read. */
const undone = (error: unknown): boolean => {
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: string };
  return code === 'ER_LOCK_DEADLOCK' || code === 'ER_CHECKREAD';
};

/** Does a transaction again when the server sacrificed it to another. */
export async function despiteDeadlocks<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS || !undone(error)) throw error;
    }
  }
}
