import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** A process of Node that collects its garbage when it is asked to. */
export type Collector = { collect(): Promise<void>; close(): void };

/**
 * Opens the inspector of a process that was started with `--inspect-port`. Without it one would measure how long V8 lets garbage
 * lie, and not what a process keeps. Undefined when it does not open.
 */
export async function openCollector(pid: number, port: number): Promise<Collector | undefined> {
  process.kill(pid, 'SIGUSR1');
  const url = await inspectorAt(port);
  if (url === undefined) return undefined;
  const socket = new WebSocket(url);
  await new Promise((done, failed) => {
    socket.addEventListener('open', done, { once: true });
    socket.addEventListener('error', () => failed(new Error('the inspector cannot be reached')), {
      once: true,
    });
  });
  let id = 0;
  return {
    async collect() {
      const asked = ++id;
      const collected = new Promise<void>((done, failed) => {
        const late = setTimeout(() => failed(new Error('no collection within its time')), DEADLINE_MS);
        const hear = ({ data }: MessageEvent): void => {
          if ((JSON.parse(String(data)) as { id?: number }).id !== asked) return;
          clearTimeout(late);
          socket.removeEventListener('message', hear);
          done();
        };
        socket.addEventListener('message', hear);
      });
      socket.send(JSON.stringify({ id: asked, method: 'HeapProfiler.collectGarbage' }));
      await collected;
    },
    close: () => socket.close(),
  };
}

async function inspectorAt(port: number): Promise<string | undefined> {
  for (let waited = 0; waited < DEADLINE_MS; waited += LOOK_EVERY_MS) {
    const [target] = (await fetch(`http://127.0.0.1:${port}/json/list`)
      .then((response) => response.json())
      .catch(() => [])) as { webSocketDebuggerUrl?: string }[];
    if (target?.webSocketDebuggerUrl !== undefined) return target.webSocketDebuggerUrl;
    await delay(LOOK_EVERY_MS);
  }
  return undefined;
}
