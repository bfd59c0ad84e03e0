import { checkAdmin } from './check-admin.js';
import { checkAuth } from './check-auth.js';
import { checkConflicts, isByKafkaIn } from './check-conflicts.js';
import { checkWayBack } from './check-way-back.js';
import { checkTransform } from './check-transform.js';
import { checkGroups, membersIn } from './check-groups.js';
import { checkFences } from './check-fences.js';
import { checkUpstreams } from './check-upstreams.js';
import { checkStandbyUrls } from './standby-schema.js';
import { areApart, checkAssembly } from './check-assembly.js';
import { type TableMapping, tableMappingSchema } from './mapping-schema.js';
import { EXACT_PATHS, normalSegments, pathRulesSchema } from './path-rules.js';
import { flagOf, type PlanRoute, routeSchema } from './plan.js';
import { shapeOf } from './route-pattern.js';
import { conflictOf } from './route-conflict.js';
import { list, parts } from './plan-parts.js';

type Path = readonly (string | number)[];
export type Inconsistency = { readonly path: Path; readonly message: string; readonly remedy: string };

// Unleash looks for these outside the properties, so a property of that name would never be found.
const TAKEN_PROPERTIES = [
  'userId',
  'sessionId',
  'remoteAddress',
  'environment',
  'appName',
  'currentTime',
  'tenant',
];

/**
 * What the parts of a plan say of each other. It takes the plan before its parts are known to be right and looks only at
 * those that are, so that one bad key does not hide what else is wrong.
 */
export function crossCheck(document: unknown): readonly Inconsistency[] {
  const found: Inconsistency[] = [];
  const complain = (path: Path, message: string, remedy: string) => found.push({ path, message, remedy });
  const plan = parts(document);
  const upstreams = parts(plan['upstreams']);
  const databases = parts(plan['databases']);
  const proxy = parts(plan['proxy']);
  const migrations = Object.entries(parts(plan['migrations']));

  if (plan['upstreams'] !== undefined && upstreams['legacy'] === undefined)
    complain(
      ['upstreams'],
      'has no "legacy"',
      'add "legacy: http://host:port", the application that serves everything that is not in the plan',
    );
  checkUpstreams(upstreams, complain);
  checkFences(parts(plan['fences']), databases, complain);
  checkStandbyUrls(parts(parts(plan['sync'])['failover']), databases, complain);
  if (migrations.length > 0) {
    if (plan['control'] === undefined)
      complain(
        ['migrations'],
        'need a "control"',
        'add "control: { ledger: !env LEDGER_DATABASE_URL }", the database that remembers their phases',
      );
    if (plan['flags'] === undefined)
      complain(['migrations'], 'need "flags"', 'add "flags: { file: flags.json }"');
    if (proxy['secret'] === undefined)
      complain(
        ['proxy'],
        'has no "secret"',
        'add "secret: !env STRANGLER_SECRET": it signs the cookie that keeps anonymous clients on their side',
      );
  }

  checkAdmin({ proxy, sync: parts(plan['sync']), control: parts(plan['control']) }, complain);

  const flagSource = parts(plan['flags']);
  if (
    plan['flags'] !== undefined &&
    (flagSource['file'] === undefined) === (flagSource['unleash'] === undefined)
  )
    complain(
      ['flags'],
      flagSource['file'] === undefined ? 'name no source' : 'name two sources',
      'write either "file: flags.json" or "unleash: { url: ..., token: !env UNLEASH_TOKEN }"',
    );
  const identity = parts(proxy['identity']);
  for (const property of Object.keys(parts(identity['properties'])))
    if (TAKEN_PROPERTIES.includes(property))
      complain(
        ['proxy', 'identity', 'properties', property],
        'is a field that flags have anyway',
        property === 'tenant' ? 'write it as "identity.tenant"' : 'choose another name',
      );
  if (proxy['testers'] !== undefined && proxy['secret'] === undefined)
    complain(
      ['proxy', 'testers'],
      'need a "secret"',
      'add "secret: !env STRANGLER_SECRET" to the proxy: it signs their tokens',
    );

  checkAuth(plan, complain);

  const paths = pathRulesSchema.safeParse(proxy['paths']).data ?? EXACT_PATHS;
  const routes = new Map<string, { readonly route: PlanRoute; readonly migration: string }[]>();
  const targets = new Map<string, readonly { readonly table: TableMapping; readonly giver: string }[]>();
  const flags = new Map<string, string>();
  checkGroups(plan, complain);
  const groups = new Map(membersIn(plan['groups']).map((member) => [member.migration, member]));
  for (const [name, value] of migrations) {
    const at = ['migrations', name];
    const migration = parts(value);

    const { upstream } = migration;
    if (upstream === 'legacy')
      complain([...at, 'upstream'], 'is "legacy"', 'name the upstream of the extracted service');
    else if (typeof upstream === 'string' && upstreams[upstream] === undefined)
      complain(
        [...at, 'upstream'],
        `names "${upstream}", which is not there`,
        `add "${upstream}" under upstreams`,
      );

    const group = groups.get(name);
    const flag = typeof migration['flag'] === 'string' ? migration['flag'] : (group?.flag ?? flagOf(name));
    const holder = flags.get(flag);
    const owner = group?.group ?? name;
    if (holder !== undefined && holder !== owner)
      complain(
        [...at, 'flag'],
        `"${flag}" already belongs to "${holder}"`,
        'give each migration a flag of its own',
      );
    flags.set(flag, owner);

    for (const [index, item] of list(migration['routes']).entries()) {
      const route = routeSchema.safeParse(item);
      if (!route.success) continue;
      const { match } = route.data;
      checkTransform(route.data, [...at, 'routes', index], complain);
      const shape = shapeOf({ segments: normalSegments(match, paths) });
      const neighbours = routes.get(shape) ?? [];
      routes.set(shape, neighbours);
      const conflicting = (kind: 'same' | 'tie') =>
        neighbours.find(({ route: other }) => conflictOf(route.data, other) === kind);
      const same = conflicting('same');
      const tie = same ? undefined : conflicting('tie');
      neighbours.push({ route: route.data, migration: name });
      if (same)
        complain(
          [...at, 'routes', index],
          `"${match.text}" matches the same requests as "${same.route.match.text}" of "${same.migration}"`,
          'leave one of the two out',
        );
      else if (tie)
        complain(
          [...at, 'routes', index],
          `"${match.text}" is as specific as "${tie.route.match.text}" of "${tie.migration}", and a request can fit both`,
          'give one of the two an "order" (the lower one goes first), or conditions that exclude each other',
        );
    }

    const steps = list(parts(migration['canary'])['steps']).map(Number);
    if (
      steps.length > 0 &&
      (steps.at(-1) !== 100 || steps.some((step, index) => index > 0 && step <= (steps[index - 1] ?? 0)))
    )
      complain(
        [...at, 'canary', 'steps'],
        'do not rise to 100',
        'write rising percentages that end with 100, for example [10, 50, 100]',
      );

    const data = parts(migration['data']);
    for (const side of ['from', 'to'] as const) {
      const database = data[side];
      if (typeof database === 'string' && databases[database] === undefined)
        complain(
          [...at, 'data', side],
          `names "${database}", which is not there`,
          `add "${database}: !env ..." under databases`,
        );
    }
    if (data['from'] !== undefined && data['from'] === data['to'])
      complain([...at, 'data', 'to'], 'is the database it comes from', 'name the database of the service');
    const parsed = list(data['tables']).map((item) => tableMappingSchema.safeParse(item));
    const tables = parsed.flatMap(({ data: table }) => table ?? []);
    for (const [index, table] of parsed.entries()) {
      if (!table.success) continue;
      const place = [...at, 'data', 'tables', index];
      checkTable(table.data, place, `${String(data['to'])}.`, name);
      checkWayBack(table.data, tables, place, complain);
      const isByKafka = isByKafkaIn(parts(plan['sync']), String(data['from']));
      checkAssembly(table.data, place, complain);
      checkConflicts(table.data, { at: place, truncate: data['truncate'], isByKafka }, complain);
    }
  }
  return found;

  function checkTable(table: TableMapping, at: Path, database: string, migration: string): void {
    const claim = (to: string, path: Path) => {
      const others = targets.get(database + to) ?? [];
      const other = others.find(
        (each) => to !== table.to || to !== each.table.to || !areApart(each.table, table),
      );
      if (other !== undefined)
        complain(
          path,
          `"${to}" is already written by ${other.giver}`,
          'let one mapping write each target table, or tell their rows apart by a "discriminator"',
        );
      targets.set(database + to, [...others, { table, giver: `"${table.from}" of "${migration}"` }]);
    };
    claim(table.to, [...at, 'to']);
    for (const column of Object.keys(table.key))
      if (table.columns[column] !== undefined)
        complain([...at, 'columns', column], 'is also in the key', 'leave it in "key" only');
    const keyColumns = Object.values(table.key);
    for (const [place, split] of table.split.entries()) {
      claim(split.to, [...at, 'split', place, 'to']);
      const used = Object.values(split.key);
      if (used.length !== keyColumns.length || used.some((source) => !keyColumns.includes(source)))
        complain(
          [...at, 'split', place, 'key'],
          `does not name the parent by the key of "${table.from}"`,
          `map each of ${keyColumns.map((source) => `"${source}"`).join(', ')} once`,
        );
    }
  }
}
