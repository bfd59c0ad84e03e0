import { describe, expect, it } from '@jest/globals';
import { bearerOf, guardAdmin, isLoopback } from './guard-admin.js';
import { parsePlan } from './load-plan.js';

const TOKEN = 'a token of sufficient length';
const ask = (address: string, token: string | undefined, request: Record<string, string> = {}) =>
  guardAdmin(
    address,
    token,
  )({
    target: '/evidence',
    host: '127.0.0.1:7070',
    authorization: undefined,
    ...request,
  })?.code;

describe('an admin port', () => {
  it('on loopback answers names of this machine only', () => {
    for (const host of ['127.0.0.1:7070', 'localhost', 'shop.localhost:1', '[::1]:7070', '127.9.9.9'])
      expect(ask('127.0.0.1', undefined, { host })).toBeUndefined();
    for (const host of ['evil.test', '', '127.0.0.1.evil.test', 'localhost.evil.test', '10.0.0.1'])
      expect(ask('127.0.0.1', undefined, { host })).toBe('ADMIN_HOST_REFUSED');
    expect(ask('0.0.0.0', undefined, { host: 'proxy-admin:7070' })).toBeUndefined();
  });

  it('with a token answers who shows exactly that, on loopback too', () => {
    for (const address of ['127.0.0.1', '0.0.0.0']) {
      expect(ask(address, TOKEN.replaceAll(' ', '-'), bearerOf(TOKEN.replaceAll(' ', '-')))).toBeUndefined();
      for (const authorization of [
        '',
        'Bearer',
        'Bearer ',
        'Bearer x',
        `Basic ${TOKEN}`,
        TOKEN,
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN.slice(1)}`,
      ])
        expect(ask(address, TOKEN, { authorization })).toBe('ADMIN_TOKEN_REFUSED');
    }
  });

  it('says whether it lives and is ready to everybody, and to no path that only looks like it', () => {
    for (const target of ['/health', '/ready', '/ready?x'])
      expect(ask('0.0.0.0', TOKEN, { target })).toBeUndefined();
    for (const target of ['/health/', '/healthx', '//health', '/metrics?/health', '/'])
      expect(ask('0.0.0.0', TOKEN, { target })).toBe('ADMIN_TOKEN_REFUSED');
  });
});

describe('a plan', () => {
  const problems = (text: string) => {
    const loaded = parsePlan(text, 'plan.yaml', {
      TOKEN: TOKEN.replaceAll(' ', '-'),
      SHORT: 'short',
      LEDGER: 'mysql://h/l',
    });
    return loaded.ok ? [] : loaded.problems.map(({ path, code, message }) => `${path} ${code} ${message}`);
  };
  const plan = (proxy: string, rest = '') =>
    `version: 1\nproxy: { listen: 0.0.0.0:80, ${proxy} }\n${rest}\nupstreams: { legacy: http://127.0.0.1:3000 }\n`;

  it('needs a token for each admin port that others than this machine reach', () => {
    expect(isLoopback('strangler-control')).toBe(false);
    expect(
      problems(
        plan(
          'admin: 0.0.0.0:7070',
          'sync: { admin: strangler-sync:7071 }\ncontrol: { listen: "[::]:7072", ledger: !env LEDGER }',
        ),
      ),
    ).toEqual([
      'proxy PLAN_INCONSISTENT has no "adminToken", and more than this machine reaches its admin port',
      'sync PLAN_INCONSISTENT has no "adminToken", and more than this machine reaches its admin port',
      'control PLAN_INCONSISTENT has no "adminToken", and more than this machine reaches its admin port',
    ]);
    expect(
      problems(
        plan(
          'admin: 0.0.0.0:7070, adminToken: !env TOKEN',
          'sync: { admin: strangler-sync:7071, adminToken: !env TOKEN }\ncontrol: { listen: 10.0.0.1:7072, ledger: !env LEDGER, adminToken: !env TOKEN }',
        ),
      ),
    ).toEqual([]);
    expect(problems(plan('admin: 7070', 'sync: { admin: localhost:7071 }'))).toEqual([]);
  });

  it('takes a token from the environment alone, and no short one', () => {
    expect(problems(plan('adminToken: a-token-in-the-file'))).toEqual([
      'proxy.adminToken PLAN_SECRET has a secret in the file',
    ]);
    expect(problems(plan('adminToken: !env SHORT'))).toEqual([
      'proxy.adminToken PLAN_INVALID is shorter than 16 characters',
    ]);
  });
});
