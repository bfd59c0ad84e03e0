import { describe } from '@jest/globals';
import { fakeLedger } from './fake-ledger.js';
import { ledgerConformance } from './ledger.conformance.js';

describe('the ledger in memory', () => {
  ledgerConformance(async () => fakeLedger());
});
