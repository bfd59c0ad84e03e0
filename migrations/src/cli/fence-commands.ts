import { EXIT, type Plan } from '@strangler/contracts';
import type { Command } from 'commander';
import { changedFencesText, fencesText } from './print-fences.js';

type Options = { readonly plan: string; readonly json?: boolean; readonly dryRun?: boolean };
type Surroundings = {
  readonly readPlan: (file: string) => Promise<Plan>;
  readonly say: (options: Options, value: unknown, text: () => string) => void;
  readonly exit: (code: number) => void;
};

// Loaded when it is needed: no other command talks to a database, and a rollback should not wait for a driver.
const databaseWork = () => import('./fence.js');

/** `strangler fence install|remove|status`. */
export function fenceCommands(program: Command, { readPlan, say, exit }: Surroundings): void {
  const fence = program
    .command('fence')
    .description('what keeps all but one side from writing, in the databases themselves');
  const command = (name: string, description: string) =>
    fence
      .command(`${name} <migration-or-group>`)
      .description(description)
      .option('--plan <file>', 'the plan', 'strangler.yaml')
      .option('--json', 'print JSON');
  command('install', 'put up what is missing, days before a cutover; says what it costs')
    .option('--dry-run', 'print the SQL, and change nothing')
    .action(async (name: string, options: Options) => {
      const { installFences } = await databaseWork();
      const result = await installFences(await readPlan(options.plan), name, options.dryRun ?? false);
      say(options, result, () => changedFencesText(result));
    });
  command('remove', 'take them away; refused while the service writes and legacy could')
    .option('--dry-run', 'print the SQL, and change nothing')
    .action(async (name: string, options: Options) => {
      const { removeFences } = await databaseWork();
      const result = await removeFences(await readPlan(options.plan), name, options.dryRun ?? false);
      say(options, result, () => changedFencesText(result));
    });
  command('status', 'how they stand; exit 3 when one would not hold').action(
    async (name: string, options: Options) => {
      const { lookAtFences } = await databaseWork();
      const seen = await lookAtFences(await readPlan(options.plan), name);
      say(options, seen, () => fencesText(seen));
      if (!seen.ok) exit(EXIT.gateUnmet);
    },
  );
}
