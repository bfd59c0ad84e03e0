import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Context } from 'unleash-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { FlagFile } from './flag-file.js';
import { unleashOver } from './unleash-flags.js';

type Case = {
  readonly description: string;
  readonly context: Omit<Context, 'currentTime'> & { readonly currentTime?: string };
  readonly toggleName: string;
  readonly expectedResult: unknown;
};
type Specification = {
  readonly name: string;
  readonly state: { readonly features?: unknown; readonly events?: readonly unknown[] };
  readonly tests?: readonly Case[];
  readonly variantTests?: readonly Case[];
};

const folder = join(
  dirname(createRequire(import.meta.url).resolve('@unleash/client-specification/package.json')),
  'specifications',
);
const names = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly string[];
const specifications = names.map(
  (file) => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as Specification] as const,
);
/** Specifications of the delta format, which no file is in: `GET /api/client/features` is what a file has. */
const DELTAS = ['19-delta-api-hydration.json', '20-delta-api-events.json'];
const ofFeatures = specifications.filter(([, { state }]) => state.features !== undefined);

describe('the client specification of Unleash', () => {
  it('is read whole, but for the format that no file has', () => {
    expect(names.length).toBeGreaterThanOrEqual(22);
    expect(names.filter((name) => !ofFeatures.some(([file]) => file === name))).toEqual(DELTAS);
  });

  describe.each(ofFeatures)('%s', (_file, { state, tests = [], variantTests = [] }) => {
    let at: string;
    let unleash: ReturnType<typeof unleashOver>;
    beforeAll(async () => {
      at = await mkdtemp(join(tmpdir(), 'strangler-specification-'));
      await writeFile(join(at, 'flags.json'), JSON.stringify(state));
      unleash = unleashOver(new FlagFile(join(at, 'flags.json')));
      unleash.on('warn', () => {}).on('error', () => {});
      await unleash.start();
    });
    afterAll(async () => {
      unleash.destroy();
      await rm(at, { recursive: true });
    });
    const contextOf = ({ context: { currentTime, ...context } }: Case): Context => ({
      ...context,
      ...(currentTime !== undefined && { currentTime: new Date(currentTime) }),
    });

    it('holds over a file', () => {
      expect(tests.length + variantTests.length).toBeGreaterThan(0);
      for (const one of tests)
        expect([one.description, unleash.isEnabled(one.toggleName, contextOf(one))]).toEqual([
          one.description,
          one.expectedResult,
        ]);
      for (const one of variantTests) {
        const { featureEnabled: _, ...variant } = unleash.getVariant(one.toggleName, contextOf(one));
        const { featureEnabled: __, ...expected } = one.expectedResult as Record<string, unknown>;
        expect([one.description, variant]).toEqual([one.description, expected]);
      }
    });
  });
});
