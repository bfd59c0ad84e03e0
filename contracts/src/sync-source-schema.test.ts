import { describe, expect, it } from '@jest/globals';
import { syncSourceOf, syncSourceSchema } from './sync-source-schema.js';

const kafka = { kind: 'kafka', brokers: ['kafka-1:9092'], connect: 'http://connect:8083' };

describe('where changes come from', () => {
  it('is the log of the database unless the plan says otherwise, for all or for one', () => {
    const [binlog, through] = [syncSourceSchema.parse({ kind: 'binlog' }), syncSourceSchema.parse(kafka)];
    expect(syncSourceOf({ source: binlog, sources: { legacy: through } }, 'legacy')).toBe(through);
    expect(syncSourceOf({ source: binlog, sources: { legacy: through } }, 'other')).toBe(binlog);
  });

  it('is refused with a broker that is no address, and with a key of another kind', () => {
    for (const wrong of [
      { ...kafka, brokers: ['http://kafka:9092'] },
      { ...kafka, brokers: [] },
      { ...kafka, connect: 'connect' },
      { kind: 'binlog', brokers: ['kafka-1:9092'] },
    ])
      expect(syncSourceSchema.safeParse(wrong).success).toBe(false);
  });
});
