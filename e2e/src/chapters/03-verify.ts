import type { Verification } from '@strangler/contracts';
import { ClaimFailed, type Chapter, type Story } from '../story.js';

/** Verifies and adds to the measured numbers. Drift is a claim that fails. */
export async function verify({ world, measured, say, claim }: Story, migration = 'catalog'): Promise<void> {
  const result = await world.strangler('verify', migration, '--by', 'demo', '--json');
  if (result.out.trim() === '')
    throw new ClaimFailed(`the verification did not run (exit ${result.code}): ${result.err}`);
  const verification = JSON.parse(result.out) as Verification;
  measured.rowsVerified += verification.rowsVerified;
  measured.driftRows += verification.driftRows;
  claim(
    'both databases hold the same rows',
    verification.clean && result.code === 0,
    JSON.stringify(verification.tables.filter((table) => table.samples.length > 0)),
  );
  say(
    `${verification.rowsVerified} rows compared through the mapping while writes went on, ${verification.driftRows} differ`,
  );
}

export const verifyTheCopy: Chapter = {
  title: 'The copy is verified row by row',
  run: (story) => verify(story),
};
