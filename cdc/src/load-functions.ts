import { pathToFileURL } from 'node:url';
import { reasonOf, type TableMapping } from '@strangler/contracts';
import { functionNotLoaded } from './errors.js';
import type { MappingFunction, MappingFunctions } from './mapping-functions.js';
import { isReversed } from './reverse.js';

/** Functions that a mapping names, each once. */
export function functionsIn(mapping: TableMapping): readonly string[] {
  const { columns } = isReversed(mapping) ? mapping.backOf : mapping;
  return [
    ...new Set(
      Object.values(columns).flatMap((rule) =>
        typeof rule === 'string' || !('function' in rule) ? [] : [rule.function, rule.back ?? []].flat(),
      ),
    ),
  ];
}

/** Loads what a mapping names; a file is loaded once in a process, so that a change of it needs a restart. Throws FUNCTION_NOT_LOADED. */
export async function loadFunctions(mapping: TableMapping): Promise<MappingFunctions> {
  const functions = new Map<string, MappingFunction>();
  for (const name of functionsIn(mapping)) {
    const at = name.lastIndexOf('#');
    const [file, exported] = [name.slice(0, at), name.slice(at + 1)];
    let module: Readonly<Record<string, unknown>>;
    try {
      module = (await import(pathToFileURL(file).href)) as typeof module;
    } catch (error) {
      throw functionNotLoaded(name, reasonOf(error).split('\n')[0] ?? '', error);
    }
    const found = module[exported];
    if (typeof found !== 'function') throw functionNotLoaded(name, `it exports no function "${exported}"`);
    functions.set(name, found as MappingFunction);
  }
  return functions;
}
