import { readdirSync, readFileSync } from 'node:fs';

// USER_HZ of every Linux that Node runs on.
const TICKS_PER_SECOND = 100;

/** Seconds of CPU, user and system, that a process and its living descendants have used, all threads; null without /proc. */
export function cpuSeconds(pid: number): number | null {
  const ticksOf = new Map<number, number>();
  const children = new Map<number, number[]>();
  for (const entry of processes()) {
    const stat = statOf(entry);
    if (!stat) continue;
    ticksOf.set(entry, stat.ticks);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), entry]);
  }
  if (!ticksOf.has(pid)) return null;
  const sum = (of: number): number =>
    (ticksOf.get(of) ?? 0) + (children.get(of) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(pid) / TICKS_PER_SECOND;
}

/** Memory of a process that is in RAM, in KiB; null without /proc. */
export function rssKb(pid: number): number | null {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return found ? Number(found[1]) : null;
  } catch {
    return null;
  }
}

function processes(): number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

function statOf(pid: number): { readonly parent: number; readonly ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold anything: fields are counted from behind it, the first is number 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}
