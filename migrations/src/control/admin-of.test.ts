import type { IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { adminOf } from './admin-of.js';

const told = (port: string, remoteAddress = '10.0.0.7') =>
  adminOf({
    headers: { 'x-strangler-admin-port': port },
    socket: { remoteAddress },
  } as unknown as IncomingMessage);

it('is a port on the address that asks, in every form of that', () => {
  expect(told('7070')).toBe('http://10.0.0.7:7070');
  expect(told('7070', '::ffff:10.0.0.7')).toBe('http://10.0.0.7:7070');
  expect(told('7070', 'fd00::7')).toBe('http://[fd00::7]:7070');
});

it.each(['', '0', '70000', '7070@example.test', 'example.test:80', '-1', '7070/x', '7 0'])(
  'is nothing when it says "%s"',
  (port) => expect(told(port)).toBeUndefined(),
);
