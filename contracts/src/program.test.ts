import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { checkPort } from './check-port.js';
import { parseAddress, urlOf } from './address.js';
import { reasonOf } from './errors.js';

describe('an address', () => {
  it.each([
    ['8080', { host: '127.0.0.1', port: 8080 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['proxy.internal:443', { host: 'proxy.internal', port: 443 }],
    ['127.0.0.1', undefined],
    ['127.0.0.1:70000', undefined],
    ['http://x:1', undefined],
  ])('%s is read', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it('has a URL that works on the same machine', () => {
    expect(urlOf({ host: '0.0.0.0', port: 80 })).toBe('http://127.0.0.1:80');
    expect(urlOf({ host: '::', port: 80 })).toBe('http://[::1]:80');
  });
});

describe('the check of a port', () => {
  it('names the taken address and the remedy, and is content with a free one', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const [problem] = await checkPort('proxy.listen', { host: '127.0.0.1', port });
    expect(problem).toEqual({
      code: 'PORT_UNAVAILABLE',
      path: 'proxy.listen',
      message: `"127.0.0.1:${port}" is taken by another program`,
      remedy: 'end that program or choose another port',
    });
    await new Promise((done) => server.close(done));
    expect(await checkPort('proxy.listen', { host: '127.0.0.1', port })).toEqual([]);
  });
});

describe('a reason', () => {
  it('is never empty, not even for the errors of several addresses', () => {
    expect(
      reasonOf(new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')])),
    ).toBe('refused by ::1, refused by 127.0.0.1');
    expect(reasonOf(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }))).toBe(
      'fetch failed: connect ECONNREFUSED',
    );
    expect(reasonOf('text')).toBe('text');
  });
});

describe('a program', () => {
  const script = (body: string) => `
    import { runProgram } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    await runProgram({ name: 'sample', check: async () => [], start: async () => { const timer = setInterval(() => {}, 1000); return { urls: { listen: 'http://127.0.0.1:1' }, stop: async () => { clearInterval(timer); process.stdout.write('stopped'); } }; }, ${body} }, process.argv.slice(1), process.env);`;
  const plan = new URL('./five-lines.fixture.yaml', import.meta.url).pathname;
  const launch = (arguments_: string[], body = '') =>
    spawn(process.execPath, ['--input-type=module', '-e', script(body), '--', ...arguments_], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, STRANGLER_LOG_LEVEL: 'silent' },
    });
  const outcome = async (child: ReturnType<typeof launch>) => {
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    // After a disconnect on this side Node emits no 'close' for the child, so the ends of its pipes are awaited by hand.
    const pipes = [child.stdout, child.stderr].flatMap((pipe) => (pipe ? [once(pipe, 'close')] : []));
    const [[code]] = await Promise.all([once(child, 'exit') as Promise<[number | null]>, ...pipes]);
    return { code, out, err };
  };
  const ready = (child: ReturnType<typeof launch>) =>
    new Promise<unknown>((done) => child.once('message', done));

  it('says that it is ready with its URLs and ends cleanly on SIGTERM', async () => {
    const child = launch(['--plan', plan]);
    const ended = outcome(child);
    expect(await ready(child)).toEqual({
      ready: true,
      program: 'sample',
      urls: { listen: 'http://127.0.0.1:1' },
    });
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, out: 'stopped', err: '' });
  });

  it('looks at its plan again on SIGHUP, if it can do so, and goes on', async () => {
    const reload = `start: async () => { const timer = setInterval(() => {}, 1000); return { urls: {}, reload: async () => process.send('reloaded'), stop: async () => clearInterval(timer) }; }`;
    const child = launch(['--plan', plan], reload);
    const ended = outcome(child);
    await ready(child);
    const reloaded = ready(child);
    child.kill('SIGHUP');
    expect(await reloaded).toBe('reloaded');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });

  it('ends when the program that started it is gone', async () => {
    const child = launch(['--plan', plan]);
    const ended = outcome(child);
    await ready(child);
    child.disconnect();
    expect(await ended).toEqual({ code: 0, out: 'stopped', err: '' });
  });

  it('exits with 2 and a sentence without a plan, with one that is not there, and when its check finds something', async () => {
    expect(await outcome(launch([]))).toMatchObject({
      code: 2,
      err: expect.stringContaining('write "sample --plan FILE"'),
    });
    expect(await outcome(launch(['--plan', 'nowhere.yaml']))).toMatchObject({ code: 2 });
    const found = `check: async () => [{ code: 'X', path: 'port', message: 'is taken', remedy: 'free it' }]`;
    expect(await outcome(launch(['--plan', plan], found))).toMatchObject({
      code: 2,
      err: 'port: is taken: free it\n',
    });
    expect(JSON.parse((await outcome(launch(['--plan', plan, '--check', '--json'], found))).out)).toEqual({
      problems: [{ code: 'X', path: 'port', message: 'is taken', remedy: 'free it' }],
    });
    expect(await outcome(launch(['--plan', plan, '--check']))).toEqual({ code: 0, out: '', err: '' });
  });
});
