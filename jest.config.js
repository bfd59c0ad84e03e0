import { existsSync } from 'node:fs';

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/**/src/**/*.test.ts', '<rootDir>/{k8s,scripts}/**/*.test.ts'],
  // `npm run test:kafka` has a broker for them.
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    '/.strangler/',
    ...(existsSync(new URL('.strangler/sakila', import.meta.url)) ? [] : [String.raw`sakila\.db\.test\.ts$`]),
    ...(process.env.STRANGLER_KAFKA ? [] : [String.raw`\.kafka\.test\.ts$`]),
  ],
  modulePathIgnorePatterns: ['/dist/', '/.strangler/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@strangler/contracts$': '<rootDir>/contracts/src/index.ts',
    '^@strangler/proxy$': '<rootDir>/strangler-proxy/src/index.ts',
    '^@strangler/cdc$': '<rootDir>/cdc/src/index.ts',
    '^@strangler/migrations$': '<rootDir>/migrations/src/index.ts',
    '^@strangler/e2e/faults$': '<rootDir>/e2e/src/faults/index.ts',
  },
  globalSetup: '<rootDir>/scripts/jest-setup.mjs',
  globalTeardown: '<rootDir>/scripts/jest-teardown.mjs',
  testTimeout: 60_000,
  coverageProvider: 'v8',
};
