import { randomFillSync } from 'node:crypto';

/** So many random bytes, as lower-case hex. */
export type RandomHex = (bytes: number) => string;

const POOL_BYTES = 4_096;

/** One call of the system's generator serves some hundred ids. */
export function createRandomHex(fill: (pool: Buffer) => void = randomFillSync): RandomHex {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return (bytes) => {
    if (used + bytes > POOL_BYTES) {
      fill(pool);
      used = 0;
    }
    used += bytes;
    return pool.toString('hex', used - bytes, used);
  };
}
