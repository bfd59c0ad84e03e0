import type { Bounds, Rules } from './rules.js';
import { FENCE, sideOf, STAGE, WRITE, type World } from './world.js';

export const [CLOSE, OPEN] = [1, 2] as const;

/** One UPDATE of a fence row. */
export type FenceChange = {
  readonly kind: number;
  readonly side: number;
  readonly epoch: number;
  readonly token: number;
};

export const isOpen = (world: World, side: number) => world[FENCE.closed + side] === 0;

/** Whether an application has a transaction there that has written. */
export function hasOpenTransaction(world: World, side: number, bounds: Bounds): boolean {
  for (let write = 0; write < bounds.writes; write += 1)
    if (world[WRITE.stage + write] === STAGE.open && world[WRITE.at + write] === side) return true;
  return false;
}

/** Whether the application there can write, or is about to have written. */
export const accepts = (rules: Rules, bounds: Bounds, world: World, side: number): boolean =>
  rules.fenced[sideOf(side)] ? isOpen(world, side) : hasOpenTransaction(world, side, bounds);

/** Changes the row, unless it refuses; `waits`: for the locks of transactions that have read it. */
export function changeFence(
  rules: Rules,
  bounds: Bounds,
  world: World,
  { kind, side, epoch, token }: FenceChange,
): 'changed' | 'refused' | 'waits' {
  if (kind === OPEN && !rules.abortAlwaysWrites && isOpen(world, side)) return 'changed';
  const rowEpoch = world[FENCE.epoch + side]!;
  if (rules.fenceKnowsToken && token < world[FENCE.token + side]!) return 'refused';
  if (rules.fenceKnowsEpoch && epoch < rowEpoch) return 'refused';
  if (rules.openIsLastWord && kind === CLOSE && epoch === rowEpoch && isOpen(world, side)) return 'refused';
  if (rules.fenceWaitsForOpen && rules.fenced[sideOf(side)] && hasOpenTransaction(world, side, bounds))
    return 'waits';
  world[FENCE.closed + side] = kind === CLOSE ? 1 : 0;
  world[FENCE.epoch + side] = epoch;
  world[FENCE.token + side] = token;
  return 'changed';
}
