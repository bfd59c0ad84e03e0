import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LARGE_BYTES, SMALL_BYTES } from './bench-plan.js';
import { freePort, type Core, type Owned, type OwnedProcesses, waitFor } from './owned-processes.js';
import { pathOf } from './system-program.js';

export type Served = { readonly url: string; readonly process: Owned };

export const smallJson = (): string => {
  const frame = JSON.stringify({ id: 4711, text: '' });
  return frame.replace('""', `"${'x'.repeat(SMALL_BYTES - frame.length)}"`);
};

/** Static answers, one worker: as little work as an upstream can have. Undefined without nginx. */
export async function startUpstream(at: string, owned: OwnedProcesses): Promise<Served | undefined> {
  const files = join(at, 'files');
  await mkdir(files, { recursive: true });
  await writeFile(join(files, 'large.bin'), Buffer.alloc(LARGE_BYTES, 'large '));
  const json = `default_type application/json; return 200 '${smallJson()}';`;
  return start(at, 'upstream', owned, 'other', (port) => [
    `server { listen 127.0.0.1:${port} backlog=1024; keepalive_requests 100000000; root ${files};`,
    `location / { ${json} }`,
    // An answer that nginx gives for the body's sake, once it has read the body.
    `location /large/ { default_type application/octet-stream; rewrite ^ /large.bin break; } }`,
  ]);
}

/** The way nginx is usually put in front of an application: proxy_pass with kept connections. Undefined without nginx. */
export async function startNginxProxy(
  at: string,
  upstream: string,
  owned: OwnedProcesses,
): Promise<Served | undefined> {
  return start(at, 'proxy', owned, 'measured', (port) => [
    `upstream legacy { server ${new URL(upstream).host}; keepalive 64; keepalive_requests 100000000; }`,
    `server { listen 127.0.0.1:${port} backlog=1024; keepalive_requests 100000000;`,
    `location / { proxy_pass http://legacy; proxy_http_version 1.1; proxy_set_header Connection "";`,
    `proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;`,
    `proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host; } }`,
  ]);
}

async function start(
  at: string,
  name: string,
  owned: OwnedProcesses,
  core: Core,
  servers: (port: number) => readonly string[],
): Promise<Served | undefined> {
  const nginx = pathOf('nginx');
  if (nginx === undefined) return undefined;
  const port = await freePort();
  const folder = join(at, `nginx-${name}`);
  await mkdir(folder, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(folder, kind)};`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    [
      // One process and no master: a master that is killed leaves its worker behind.
      `daemon off; master_process off; pid ${join(folder, 'pid')};`,
      `error_log stderr crit; events { worker_connections 1024; }`,
      `http { access_log off; client_body_buffer_size 64k; ${temporary.join(' ')}`,
      ...servers(port),
      '}',
    ].join('\n'),
  );
  const started = owned.start(nginx, ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'], { core });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(`${url}/`);
  return { url, process: started };
}
