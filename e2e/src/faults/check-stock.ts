import type { History } from './history.js';

/** Every piece that an order has taken is off the stock of both sides once, and never more than there was. */
export function checkStock({ legacy, service, firstStock }: History): readonly string[] {
  const taken = new Map<number, number>();
  for (const { kind, item, amount } of [...legacy.log, ...service.log])
    if (kind === 'order' && item !== null) taken.set(item, (taken.get(item) ?? 0) + amount);
  return [...firstStock].flatMap(([item, first]) => {
    const rest = first - (taken.get(item) ?? 0);
    return [
      ...(rest < 0 ? [`item ${item} was oversold by ${-rest}`] : []),
      ...[
        { side: 'legacy', has: legacy.stock.get(item) },
        { side: 'the service', has: service.stock.get(item) },
      ].flatMap(({ side, has }) =>
        has === rest
          ? []
          : [
              `${side} has ${has ?? 'no row of'} item ${item}: there were ${first}, and ${first - rest} were ordered`,
            ],
      ),
    ];
  });
}
