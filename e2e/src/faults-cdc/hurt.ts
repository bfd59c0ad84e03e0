import { setTimeout as delay } from 'node:timers/promises';
import { type Fault, KAFKA_FAULTS } from './choose.js';
import type { RunConnector } from './connector.js';
import { type HurtServer, rowsOf, type Servers, SYNC_ACCOUNT, withConnection } from './stand.js';
import type { SyncProcess } from './sync-process.js';

export const PLACES = ['sync', 'source', 'target', 'kafka'] as const;

/** Which of them it hurts. */
export const placeOf = ({ kind }: Fault): (typeof PLACES)[number] =>
  (KAFKA_FAULTS as readonly string[]).includes(kind)
    ? 'kafka'
    : kind.endsWith('source')
      ? 'source'
      : kind.endsWith('target')
        ? 'target'
        : 'sync';

/** Does one fault, and what belongs to its end: what was paused or ended runs again when it resolves. */
export async function hurt(
  fault: Fault,
  sync: SyncProcess,
  servers: Servers,
  connector?: RunConnector,
): Promise<void> {
  const { kind, forMs, byMs, isLater } = fault;
  switch (kind) {
    case 'kill sync':
    case 'kill sync for a while':
      await sync.kill();
      if (kind === 'kill sync for a while') await delay(forMs);
      await sync.start();
      // Else every further one would only meet a start.
      return isLater ? sync.works() : undefined;
    case 'pause sync':
      sync.signal('SIGSTOP');
      await delay(forMs);
      return sync.signal('SIGCONT');
    case 'turn clock':
      return sync.turnClock(byMs);
    case 'cut source':
      return cut(servers.source);
    case 'cut target':
      return cut(servers.target);
    case 'pause source':
      return pause(servers.source, forMs);
    case 'pause target':
      return pause(servers.target, forMs);
    case 'end source':
      return servers.source.restart('SIGTERM');
    case 'end target':
      return servers.target.restart('SIGTERM');
    case 'kill source':
      return servers.source.restart('SIGKILL');
    case 'kill target':
      return servers.target.restart('SIGKILL');
    case 'kill broker':
      return servers.kafka?.restart('broker');
    case 'kill worker':
      return servers.kafka?.restart('worker');
    case 'pause connector':
      return connector?.pause(forMs);
  }
}

async function cut(server: HurtServer): Promise<void> {
  await withConnection(server.url, async (connection) => {
    const found = await rowsOf(
      connection,
      `SELECT ID id FROM information_schema.PROCESSLIST WHERE USER = '${SYNC_ACCOUNT}'`,
    );
    // One of them may have ended by itself.
    for (const { id } of found) await connection.query(`KILL ${Number(id)}`).catch(() => {});
  });
}

async function pause(server: HurtServer, forMs: number): Promise<void> {
  const pid = server.pid();
  process.kill(pid, 'SIGSTOP');
  try {
    await delay(forMs);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
