// Long: every command of the CLI with its options, in the order of the help.

import {
  EXIT,
  type Finding,
  type Phase,
  PHASES,
  type Plan,
  planJsonSchema,
  problemLine,
} from '@strangler/contracts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { keyNotParked } from '../errors.js';
import { type ControlClient, controlClient } from './control-client.js';
import { explain, explanationText } from './explain.js';
import { fail } from './fail.js';
import { fenceCommands } from './fence-commands.js';
import { findingsText } from './print-findings.js';
import { conflictsOfMigration, conflictsText } from './conflicts.js';
import { parkedText, parkingOf, parkingText } from './parked.js';
import { movedText } from './print-moved.js';
import { statusText } from './print-status.js';
import { PlanBroken, readPlan, readPlanAndWarnings } from './read-plan.js';
import { askForRecopy, recopyText } from './recopy.js';
import { askForRepair, repairText } from './repair.js';
import { makeTester, testerText } from './make-tester.js';
import { printable, type Terminal } from './terminal.js';
import { tryRows } from './try-rows.js';
import { verificationText, watchVerification } from './watch-verification.js';
import { renderReport, REPORT_FORMATS, type ReportFormat, writeReport } from './write-report.js';

export type CliEnvironment = {
  readonly terminal: Terminal;
  /** For `!env NAME` in the plan. */
  readonly environment: NodeJS.ProcessEnv;
  /** Who is written to the ledger when `--by` is not given. */
  readonly operator: string;
  readonly up: (file: string, options: { readonly json: boolean }) => Promise<number>;
  /** Asks the program that will reach the databases. */
  readonly doctor: (plan: Plan, migration: string | undefined) => Promise<readonly Finding[]>;
};

type PlanOptions = { readonly plan: string; readonly json?: boolean };
type MoveOptions = PlanOptions & {
  readonly to?: Phase;
  readonly by?: string;
  readonly why?: string;
  readonly dryRun?: boolean;
};

const wholePercent = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 100)
    throw new InvalidArgumentError('Give whole percent from 1 to 100.');
  return value;
};
const positive = (text: string): number => {
  const value = Number(text);
  if (!/^\d{1,7}$/.test(text) || value < 1) throw new InvalidArgumentError('Give a number from 1 on.');
  return value;
};
const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** Runs one command line; answers its exit code. */
export async function runCli(argv: readonly string[], outer: CliEnvironment): Promise<number> {
  const { terminal, environment } = outer;
  let exit: number = EXIT.ok;
  const say = (options: PlanOptions, value: unknown, text: () => string) =>
    terminal.out(options.json ? `${JSON.stringify(value)}\n` : printable(text()));
  const control = async (options: PlanOptions): Promise<ControlClient> =>
    controlClient(await readPlan(options.plan, environment));
  const moveOf = (options: MoveOptions) => ({
    by: options.by ?? outer.operator,
    ...(options.to === undefined ? {} : { to: options.to }),
    ...(options.why === undefined ? {} : { why: options.why }),
    ...(options.dryRun ? { dryRun: true } : {}),
  });

  const program = new Command('strangler')
    .description('Moves capabilities out of a monolith, one at a time, and back.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failed, 2 bad plan or input, 3 gate unmet or drift found. Who acts is STRANGLER_OPERATOR or the account; --by overrides.',
    );
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('--plan <file>', 'the plan', 'strangler.yaml')
      .option('--json', 'print JSON');
  const changing = (name: string, description: string) =>
    command(name, description)
      .addOption(new Option('--to <phase>', 'the phase to go to').choices(PHASES))
      .option('--by <name>', 'who decides this; the ledger keeps it')
      .option('--why <sentence>', 'the reason; the ledger keeps it')
      .option('--dry-run', 'say what would be done, in order, and change nothing');

  command('validate', 'check a plan; tells every problem at once')
    .option('--schema', "print the plan's JSON Schema for editors")
    .option('--strict', 'exit 2 also when there are only warnings')
    .option(
      '--rows <number>',
      'look at the databases too, and try mappings on so many rows of each table',
      positive,
    )
    .action(async (options: PlanOptions & { schema?: boolean; strict?: boolean; rows?: number }) => {
      if (options.schema) return terminal.out(`${JSON.stringify(planJsonSchema(), null, 2)}\n`);
      const { plan, warnings } = await readPlanAndWarnings(options.plan, environment);
      const broken = options.rows ? await tryRows(plan, options.plan, options.rows, environment) : [];
      if (broken.length > 0) throw new PlanBroken(options.plan, broken);
      const migrations = Object.entries(plan.migrations);
      const ok = !options.strict || warnings.length === 0;
      const result = {
        ok,
        revision: plan.revision,
        migrations: migrations.map(([name]) => name).toSorted(),
        warnings,
      };
      if (!ok) exit = EXIT.badInput;
      if (!options.json)
        for (const warning of warnings) terminal.err(printable(`warning: ${problemLine(warning)}\n`));
      say(
        options,
        result,
        () =>
          `plan "${options.plan}" is right: revision ${plan.revision}, ${migrations.length} ${migrations.length === 1 ? 'migration' : 'migrations'}${warnings.length === 0 ? '' : `, ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`}\n`,
      );
    });

  command('doctor', 'look at the databases of the plan: all that keeps data from flowing, or will one day')
    .option('--migration <name>', 'only what this one needs')
    .action(async (options: PlanOptions & { migration?: string }) => {
      const findings = await outer.doctor(await readPlan(options.plan, environment), options.migration);
      say(options, findings, () => findingsText(findings));
      if (findings.some(({ severity }) => severity === 'refuses')) exit = EXIT.badInput;
    });

  command('status', 'where every migration stands, and what its next step waits for').action(
    async (options: PlanOptions) => {
      const status = await (await control(options)).status();
      say(options, status, () => statusText(status));
    },
  );

  changing('advance <migration-or-group>', 'one phase forward, or in canary the next share')
    .option('--share <percent>', 'a canary step of the plan instead of the next', wholePercent)
    .option('--force', 'go although gates are unmet; needs --why')
    .action(async (migration: string, options: MoveOptions & { share?: number; force?: boolean }) => {
      const moved = await (
        await control(options)
      ).advance(migration, {
        ...moveOf(options),
        ...(options.share === undefined ? {} : { share: options.share }),
        ...(options.force ? { force: true } : {}),
      });
      say(options, moved, () => movedText(moved));
    });

  changing('rollback <migration-or-group>', 'one phase back, or down to --to').action(
    async (migration: string, options: MoveOptions) => {
      const moved = await (await control(options)).rollback(migration, moveOf(options));
      say(options, moved, () => movedText(moved));
    },
  );

  command('verify <migration>', 'compare the copy with its source, row by row; exit 3 when rows differ')
    .option('--by <name>', 'who wants to know; the ledger keeps it')
    .option('--afresh', 'begin anew where an earlier one was broken off, which else goes on')
    .option(
      '--exact',
      'see both sides as they were at one moment, for which the tables are locked; for go or no go',
    )
    .action(async (migration: string, options: MoveOptions & { afresh?: boolean; exact?: boolean }) => {
      const wish = {
        ...(options.afresh ? { afresh: true } : {}),
        ...(options.exact ? { exact: true } : {}),
      };
      const client = await control(options);
      const asked = client.verify(migration, options.by ?? outer.operator, wish);
      const verification = await watchVerification(migration, asked, terminal, async () => {
        const { migrations } = await client.status();
        return migrations.find(({ name }) => name === migration)?.sync?.verifying;
      });
      say(options, verification, () => verificationText(migration, verification));
      if (!verification.clean) exit = EXIT.gateUnmet;
    });

  command('repair <migration>', 'what verifications found to differ; exit 3 when some is left')
    .option('--plan-only', 'say what would be written, and change nothing; so it is without --apply')
    .addOption(new Option('--dry-run', 'the same').hideHelp())
    .addOption(
      new Option('--apply', 'write it from the source, through the flow').conflicts(['planOnly', 'dryRun']),
    )
    .option('--by <name>', 'who decides this')
    .action(async (migration: string, options: MoveOptions & { apply?: boolean }) => {
      const question = { dryRun: !options.apply, by: options.by ?? outer.operator };
      const result = await askForRepair(await readPlan(options.plan, environment), migration, question);
      say(options, result, () => repairText(migration, result));
      if (result.left > 0) exit = EXIT.gateUnmet;
    });

  program
    .command('conflicts')
    .description('rows that both sides had written before they knew of each other')
    .command('list <migration>')
    .description('the newest of them, with both rows and who has won')
    .option('--plan <file>', 'the plan', 'strangler.yaml')
    .option('--json', 'print JSON')
    .action(async (migration: string, options: PlanOptions) => {
      const kept = await conflictsOfMigration(await readPlan(options.plan, environment), migration);
      say(options, kept, () => conflictsText(migration, kept));
    });

  const parked = program
    .command('parked')
    .description('rows that the service has refused, and what follows on them');
  const ofParked = (name: string, description: string) =>
    parked
      .command(name)
      .description(description)
      .option('--plan <file>', 'the plan', 'strangler.yaml')
      .option('--json', 'print JSON');
  const parkingIn = async (options: PlanOptions, migration: string) =>
    parkingOf(await readPlan(options.plan, environment), migration);
  ofParked('list <migration>', 'the keys that are parked, oldest first; exit 3 when there are any').action(
    async (migration: string, options: PlanOptions) => {
      const keys = await (await parkingIn(options, migration)).list();
      say(options, keys, () => parkedText(migration, keys));
      if (keys.keys.length > 0) exit = EXIT.gateUnmet;
    },
  );
  ofParked('show <migration> <key>', 'one of them').action(
    async (migration: string, key: string, options: PlanOptions) => {
      const { keys } = await (await parkingIn(options, migration)).list();
      const found = { keys: keys.filter((each) => each.key === key) };
      if (found.keys.length === 0) throw keyNotParked(migration, key);
      say(options, found.keys[0], () => parkedText(migration, found));
    },
  );
  ofParked('retry <migration> [key]', 'write them as the rows of the source are now; exit 3 when some stay')
    .option('--dry-run', 'say which, and change nothing')
    .action(async (migration: string, key: string | undefined, options: MoveOptions) => {
      const question = { ...(key === undefined ? {} : { key }), ...(options.dryRun ? { dryRun: true } : {}) };
      const result = await (await parkingIn(options, migration)).retry(question);
      say(options, result, () => parkingText(migration, 'repaired', result));
      if (!result.dryRun && result.parked.length > 0) exit = EXIT.gateUnmet;
    });
  ofParked('discard <migration> <key>', 'give one up: its row stays as it is until it changes again')
    .requiredOption('--why <sentence>', 'the reason; it is kept beside the data')
    .option('--by <name>', 'who decides this')
    .option('--dry-run', 'say which, and change nothing')
    .action(async (migration: string, key: string, options: MoveOptions & { why: string }) => {
      const question = { key, why: options.why, by: options.by ?? outer.operator };
      const result = await (
        await parkingIn(options, migration)
      ).discard({ ...question, ...(options.dryRun ? { dryRun: true } : {}) });
      say(options, result, () => parkingText(migration, 'given up', result));
    });

  command('recopy <migration> <table>', 'copy a table of the source, or a range of its keys, once more')
    .option('--from <key>', 'the first key; a JSON list where it has several columns')
    .option('--to <key>', 'the last key')
    .option('--dry-run', 'say how much it is, and change nothing')
    .action(
      async (
        migration: string,
        table: string,
        options: PlanOptions & { from?: string; to?: string; dryRun?: boolean },
      ) => {
        const question = {
          table,
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.to === undefined ? {} : { to: options.to }),
          ...(options.dryRun ? { dryRun: true } : {}),
        };
        const result = await askForRecopy(await readPlan(options.plan, environment), migration, question);
        say(options, result, () => recopyText(migration, result));
      },
    );

  fenceCommands(program, {
    say,
    readPlan: (file) => readPlan(file, environment),
    exit: (code) => (exit = code),
  });

  command('report', 'how far the migration is, for people: Markdown, HTML or JSON')
    .option('--out <folder>', 'write report.html, report.md and report.json there')
    .addOption(
      new Option('--format <format>', 'print this one instead').choices(REPORT_FORMATS).conflicts('out'),
    )
    .action(async (options: PlanOptions & { out?: string; format?: ReportFormat }) => {
      const report = await (await control(options)).report();
      if (options.out === undefined)
        return terminal.out(renderReport(report, options.format ?? (options.json ? 'json' : 'md')));
      const files = await writeReport(report, options.out);
      say(options, { ok: true, files }, () => files.map((file) => `${file}\n`).join(''));
    });

  command('explain <method> <path>', 'where the proxy would send a request, and why')
    .option('--cookie <name=value>', 'a cookie of the request; may be repeated', several)
    .option('--header <name:value>', 'a header of the request; may be repeated', several)
    .action(
      async (
        method: string,
        path: string,
        options: PlanOptions & { cookie?: readonly string[]; header?: readonly string[] },
      ) => {
        const question = { method, path, cookies: options.cookie ?? [], headers: options.header ?? [] };
        const explanation = await explain(await readPlan(options.plan, environment), question);
        say(options, explanation, () => explanationText(explanation));
      },
    );

  command('tester <migration>', 'a token for somebody who looks at one side; "*" is every migration')
    .addOption(
      new Option('--side <side>', 'the side to see').choices(['legacy', 'service']).default('service'),
    )
    .option('--for <duration>', 'how long it is good: 90m, 8h, 7d', '8h')
    .option('--name <name>', 'who it is for', outer.operator)
    .action(
      async (
        migration: string,
        options: PlanOptions & { side: 'legacy' | 'service'; for: string; name: string },
      ) => {
        const made = makeTester(await readPlan(options.plan, environment), migration, options, Date.now());
        say(options, made, () => testerText(made));
      },
    );

  command(
    'up',
    'run the control plane, the proxy and the sync of a plan on this machine until Ctrl-C',
  ).action(async (options: PlanOptions) => {
    exit = await outer.up(options.plan, { json: options.json ?? false });
  });

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    return fail(error, terminal, argv.includes('--json'));
  }
}
