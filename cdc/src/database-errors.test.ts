import { describe, expect, it } from '@jest/globals';
import { isRetryable, isSystemic } from './database-errors.js';

const failed = (errno: number, code: string) => Object.assign(new Error(code), { errno, code });

describe('an error of the database', () => {
  it.each([
    ['a deadlock', failed(1213, 'ER_LOCK_DEADLOCK'), { retryable: true, systemic: false }],
    ['a value that does not fit', failed(1406, 'ER_DATA_TOO_LONG'), { retryable: false, systemic: false }],
    ['a missing table', failed(1146, 'ER_NO_SUCH_TABLE'), { retryable: false, systemic: true }],
    ['a file of the server that is gone', failed(6, 'EE_DELETE'), { retryable: true, systemic: true }],
    ['a full folder of temporary files', failed(3, 'EE_WRITE'), { retryable: true, systemic: true }],
    ['a connection that is not there', failed(-111, 'ECONNREFUSED'), { retryable: true, systemic: false }],
    ['a fault of ours', new TypeError('x'), { retryable: false, systemic: true }],
  ])('%s is told apart', (_what, error, expected) => {
    expect({ retryable: isRetryable(error), systemic: isSystemic(error) }).toEqual(expected);
  });
});
