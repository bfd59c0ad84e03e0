import type { Problem } from '@strangler/contracts';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { serverOf } from './same-server.js';
import { pathOf, type Side } from './sides.js';

/** Seconds that a clock is ahead of the one here, and how far off that may be. */
export type ClockDifference = { readonly aheadS: number; readonly withinS: number };

const LOOKS = 5;
const SHOWN = ['SELECT UTC_TIMESTAMP(6)'];

/** The look that took least says most (RFC 5905, section 10): the server read its clock somewhere between the question and the answer. */
export async function clockOf(connection: Connection, clock: () => number): Promise<ClockDifference> {
  const looks: ClockDifference[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const asked = clock();
    const [rows] = await connection.query<RowDataPacket[]>('SELECT UTC_TIMESTAMP(6) now');
    const answered = clock();
    const server = Date.parse(`${String(rows[0]?.['now']).replace(' ', 'T')}Z`);
    looks.push({
      aheadS: (server - (asked + answered) / 2) / 1_000,
      withinS: (answered - asked) / 2_000,
    });
  }
  return looks.reduce((best, look) => (look.withinS < best.withinS ? look : best));
}

const WRONG =
  'the lag that is measured, and every comparison of times that one of them wrote with times of the other, is wrong by as much';
const shown = (seconds: number): string =>
  `${Math.abs(seconds).toFixed(1)} seconds ${seconds < 0 ? 'behind' : 'ahead of'}`;

/** Clocks of servers that are more than `mostS` seconds from the one of this machine, or from each other. */
export async function checkClocks(
  sides: ReadonlyMap<string, Side>,
  clock: () => number,
  mostS: number,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const read: { readonly side: Side; readonly server: string; readonly clock: ClockDifference }[] = [];
  for (const side of sides.values()) {
    const found = { side, server: await serverOf(side), clock: await clockOf(side.connection, clock) };
    const { aheadS, withinS } = found.clock;
    const isOff = Math.abs(aheadS) - withinS > mostS;
    if (isOff)
      problems.push({
        code: 'CLOCK_DIFFERS',
        path: pathOf(side),
        message: `has a clock that is ${shown(aheadS)} that of this machine: ${WRONG}`,
        remedy: 'have both set by the same time servers; this shows it in UTC',
        statements: SHOWN,
      });
    for (const other of read) {
      const apart = aheadS - other.clock.aheadS;
      const isTold = isOff || Math.abs(other.clock.aheadS) - other.clock.withinS > mostS;
      if (other.server === found.server || isTold) continue;
      if (Math.abs(apart) - withinS - other.clock.withinS > mostS)
        problems.push({
          code: 'CLOCK_DIFFERS',
          path: pathOf(side),
          message: `has a clock that is ${shown(apart)} that of "${other.side.database.name}": ${WRONG}`,
          remedy: 'have both set by the same time servers; this shows it in UTC',
          statements: SHOWN,
        });
    }
    read.push(found);
  }
  return problems;
}
