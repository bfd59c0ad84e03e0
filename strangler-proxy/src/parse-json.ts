/**
 * JSON as it is compared: integers too large for a number stay exact as bigints, so that two different ids never look equal.
 * Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown;
  return JSON.parse(text, function (this: unknown, _key: string, value: unknown, ...rest: unknown[]) {
    const source = (rest[0] as { source?: string } | undefined)?.source ?? '';
    return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
      ? BigInt(source)
      : value;
  } as (key: string, value: unknown) => unknown) as unknown;
}
