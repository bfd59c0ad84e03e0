import { StranglerError } from '@strangler/contracts';

const ATTEMPTS = 5;

/** Does the work again when another writer of the ledger came in between; the fifth time it gives up. */
export async function retryOnChange<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const changed = error instanceof StranglerError && error.code === 'LEDGER_CHANGED_MEANWHILE';
      if (!changed || attempt === ATTEMPTS) throw error;
    }
  }
}
