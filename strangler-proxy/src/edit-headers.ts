import type { HeaderEdits } from '@strangler/contracts';
import { eachHeader, type RawHeaders } from './headers.js';

/** Removes, then renames, then sets. `valueOf` tells what a value of the plan stands for in this request. */
export function editHeaders(
  raw: RawHeaders,
  { remove, rename, set }: HeaderEdits,
  valueOf: (value: string) => string,
): string[] {
  const edited: string[] = [];
  for (const [name, value] of eachHeader(raw)) {
    const key = name.toLowerCase();
    if (remove.includes(key)) continue;
    const renamed = Object.hasOwn(rename, key) ? (rename[key] as string) : name;
    if (!Object.hasOwn(set, renamed.toLowerCase())) edited.push(renamed, value);
  }
  for (const [name, value] of Object.entries(set)) edited.push(name, valueOf(value));
  return edited;
}

/** Without the headers of these names, which are in lower case. */
export function withoutHeaders(raw: RawHeaders, names: readonly string[]): string[] {
  const kept: string[] = [];
  for (const [name, value] of eachHeader(raw))
    if (!names.includes(name.toLowerCase())) kept.push(name, value);
  return kept;
}
