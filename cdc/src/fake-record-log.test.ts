import { fakeRecordLog } from './fake-record-log.js';
import { recordLogConformance } from './record-log.conformance.js';

for (const gap of [0, 2])
  recordLogConformance(`the fake with gaps of ${gap}`, async () => {
    const log = fakeRecordLog(gap);
    return {
      log,
      append: async (...values) => log.append(...values.map((value) => ({ value }))),
      purge: async (before) => log.purge(before),
      close: async () => {},
    };
  });
