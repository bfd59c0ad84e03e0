import { parsePlan, type Plan } from '@strangler/contracts';

export const CHECKED_TABLES = `
        - from: product
          to: item
          key: { id: id }
          columns: { title: name, kind: { enum: kind, values: { a: A } } }
          split: [{ to: item_tag, column: tags, key: { item_id: id }, item: tag, position: position }]
          lost: [shape, greek, share]`;

/** What else stands in the plan: among its settings of sync, and of the migration's data; and where the plan lies. */
type Besides = { readonly sync?: string; readonly data?: string; readonly file?: string };

/** A plan of one migration that copies from one database to the other. */
export function checkedPlan(
  legacy: string,
  service: string,
  tables = CHECKED_TABLES,
  { sync = '', data = '', file = 'plan.yaml' }: Besides = {},
): Plan {
  const loaded = parsePlan(
    `version: 1
proxy: { listen: 0, secret: !env SECRET }
sync: { admin: 0${sync} }
control: { listen: 0, ledger: !env LEGACY }
flags: { file: flags.json }
databases: { legacy: !env LEGACY, service: !env SERVICE }
upstreams: { legacy: "http://127.0.0.1:1", service: "http://127.0.0.1:2" }
migrations:
  catalog:
    owner: team
    upstream: service
    routes: ["GET /x"]
    data:
      from: legacy
      to: service
      ${data}
      tables:${tables}
`,
    file,
    { SECRET: '0123456789abcdef', LEGACY: legacy, SERVICE: service },
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan;
}
