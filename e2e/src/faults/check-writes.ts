import { groupBy } from './group-by.js';
import type { ClientWrite, History, Holdings, LoggedWrite } from './history.js';

/** How a finding names a write. */
export const nameOf = (write: ClientWrite): string =>
  `${write.kind} "${write.token}" by ${write.via} (${write.outcome}: ${write.told})`;

/** Every acknowledged and every committed write is on both sides once, and no refused one is anywhere. */
export function checkWrites({ writes, legacy, service }: History): {
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
} {
  const [lost, duplicated]: [string[], string[]] = [[], []];
  const logged = [...legacy.log, ...service.log];
  const done = groupBy(logged, ({ token }) => token);
  const invoked = new Map(writes.map((write) => [write.token, write]));
  const sides = [
    ['legacy', legacy, groupBy(legacy.orders, ({ token }) => token)],
    ['the service', service, groupBy(service.orders, ({ token }) => token)],
  ] as const;

  for (const write of writes) {
    const times = done.get(write.token)?.length ?? 0;
    if (write.outcome === 'ok' && times === 0) lost.push(`${nameOf(write)} was committed nowhere`);
    if (write.outcome === 'refused' && times > 0) duplicated.push(`${nameOf(write)} was committed`);
  }
  for (const [token, [first, ...again]] of done) {
    const write = invoked.get(token);
    const name = write ? nameOf(write) : `${first?.kind} "${token}"`;
    if (!write) duplicated.push(`${name} was committed and nobody has asked for it`);
    if (again.length > 0) duplicated.push(`${name} was committed ${again.length + 1} times`);
    if (first?.kind !== 'order') continue;
    for (const [side, , byToken] of sides) {
      const rows = byToken.get(token) ?? [];
      if (rows.length === 0) lost.push(`${name} was committed and is not in ${side}`);
      if (rows.length > 1) duplicated.push(`${name} is ${rows.length} times in ${side}`);
      const told = write?.kind === 'order' ? write.number : undefined;
      for (const row of rows) {
        if (told !== undefined && row.number !== told)
          lost.push(`${name} was told number ${told} and has ${row.number} in ${side}`);
        if (row.item !== first.item || row.quantity !== first.amount)
          lost.push(
            `${name} has ${row.quantity} of item ${row.item} in ${side} and was committed with ${first.amount} of ${first.item}`,
          );
      }
    }
  }
  for (const [side, { orders }] of sides)
    for (const { number, token } of orders)
      if (!done.has(token))
        duplicated.push(`order ${number} "${token}" is in ${side} and no application has written it`);
  duplicated.push(...numbersTwice(logged, legacy, service));
  return { lost, duplicated };
}

/** A number belongs to one order for ever, whichever side gave it. */
function numbersTwice(
  logged: readonly LoggedWrite[],
  legacy: Holdings,
  service: Holdings,
): readonly string[] {
  const given = [
    ...logged.filter(({ kind }) => kind === 'order').map(({ key, token }) => ({ number: key, token })),
    ...legacy.orders,
    ...service.orders,
  ];
  return [...groupBy(given, ({ number }) => number)].flatMap(([number, uses]) => {
    const tokens = new Set(uses.map(({ token }) => token));
    return tokens.size > 1 ? [`number ${number} was given to ${[...tokens].join(' and to ')}`] : [];
  });
}
