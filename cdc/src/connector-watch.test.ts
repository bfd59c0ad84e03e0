import { expect, it } from '@jest/globals';
import type { ConnectorStatus } from './connect-api.js';
import { connectorWatch } from './connector-watch.js';

const failed: ConnectorStatus = {
  state: 'RUNNING',
  tasks: [{ id: 0, state: 'FAILED', reason: 'no such column' }],
};

function watching(answers: () => ConnectorStatus | undefined) {
  let [time, restarts] = [0, 0];
  const watch = connectorWatch({
    connector: 'strangler-catalog',
    now: () => time,
    api: { status: async () => answers(), restartFailed: async () => void restarts++ },
  });
  return { watch, restarts: () => restarts, pass: (milliseconds: number) => (time += milliseconds) };
}

it('a task that has failed is started again, with its reason, and no more than ten times in ten minutes', async () => {
  const { watch, restarts, pass } = watching(() => failed);
  for (let count = 1; count <= 10; count++) {
    expect(await watch()).toBe('it had failed and is started again: no such column');
    pass(1_000);
  }
  expect(await watch()).toContain('after 10 restarts within ten minutes');
  expect(restarts()).toBe(10);
  // When the first of them is ten minutes old, one more is tried.
  pass(590_000);
  expect(await watch()).toContain('started again');
  expect(await watch()).toContain('left alone');
  expect(restarts()).toBe(11);
});

it('what is no failure is told and left as it is', async () => {
  let status: ConnectorStatus | undefined;
  const { watch, restarts } = watching(() => status);
  expect(await watch()).toBe('there is no such connector');
  status = { state: 'PAUSED', tasks: [] };
  expect(await watch()).toBe('it is PAUSED');
  status = { state: 'RUNNING', tasks: [] };
  expect(await watch()).toBe('it has no task');
  status = { state: 'RUNNING', tasks: [{ id: 0, state: 'RUNNING', reason: null }] };
  expect(await watch()).toBeUndefined();
  expect(restarts()).toBe(0);
});
