import { describe } from '@jest/globals';
import { fakeLeases } from './fake-leases.js';
import { fakeLedger } from './fake-ledger.js';
import { leasesConformance } from './leases.conformance.js';
import { ledgerConformance } from './ledger.conformance.js';

describe('the ledger in memory', () => {
  ledgerConformance(async () => fakeLedger());
});

describe('leases in memory', () => {
  leasesConformance(async () => {
    const leases = fakeLeases();
    return { leases, ledger: fakeLedger(Date.now, leases) };
  });
});
