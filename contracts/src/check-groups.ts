import { parts, type Parts } from './plan-parts.js';

type Path = readonly (string | number)[];
type Complain = (path: Path, message: string, remedy: string) => void;

type Member = { readonly migration: string; readonly group: string; readonly path: Path };

/** Every migration that a group of an unchecked plan names, and the flag of its group. */
export function membersIn(groups: unknown): readonly (Member & { readonly flag: string })[] {
  return Object.entries(parts(groups)).flatMap(([group, value]) => {
    const { flag } = parts(value);
    const [listed, at] = Array.isArray(value)
      ? [value as unknown[], ['groups', group]]
      : [parts(value)['migrations'], ['groups', group, 'migrations']];
    return (Array.isArray(listed) ? (listed as unknown[]) : []).flatMap((migration, index) =>
      typeof migration === 'string'
        ? [
            {
              migration,
              group,
              path: [...at, index],
              flag: typeof flag === 'string' ? flag : `strangler.${group}`,
            },
          ]
        : [],
    );
  });
}

/** What groups and migrations of a plan say of each other, before either is known to be right. */
export function checkGroups(plan: Parts, complain: Complain): void {
  const migrations = parts(plan['migrations']);
  const first = new Map<string, string>();
  const steps = new Map<string, { readonly migration: string; readonly text: string }>();
  for (const group of Object.keys(parts(plan['groups'])))
    if (Object.hasOwn(migrations, group))
      complain(
        ['groups', group],
        'has the name of a migration',
        'give it a name of its own: "strangler advance" takes either',
      );
  for (const { migration, group, path, flag } of membersIn(plan['groups'])) {
    if (!Object.hasOwn(migrations, migration)) {
      complain(path, `"${migration}" is not a migration of the plan`, 'correct the name, or leave it out');
      continue;
    }
    const other = first.get(migration);
    if (other !== undefined)
      complain(path, `"${migration}" already belongs to "${other}"`, 'let each migration be in one group');
    first.set(migration, group);

    const own = parts(migrations[migration]);
    if (typeof own['flag'] === 'string' && own['flag'] !== flag)
      complain(
        ['migrations', migration, 'flag'],
        `"${own['flag']}" is not the flag of its group "${group}", which is "${flag}"`,
        'leave it out: a group has one flag for all',
      );
    const text = JSON.stringify(parts(own['canary'])['steps'] ?? [10, 50, 100]);
    const before = steps.get(group);
    if (before && before.text !== text)
      complain(
        ['migrations', migration, 'canary', 'steps'],
        `differ from those of "${before.migration}", which is in the same group "${group}"`,
        'write the same steps for all: they share one flag',
      );
    steps.set(group, before ?? { migration, text });
  }
}
