import { fakeFences } from './fake-fences.js';
import { fencesConformance } from './fences.conformance.js';

fencesConformance(
  async () => {
    const { fences, begin } = fakeFences();
    return {
      fences,
      tables: ['one', 'two'],
      begin: async (as) => {
        const transaction = begin(as === 'applier');
        return {
          write: async (table) => transaction.write(table),
          commit: async () => transaction.end(),
        };
      },
      close: async () => {},
    };
  },
  { refusesAppliers: true, refusal: (table, epoch) => `FENCED:${table}:${epoch}` },
);
