/** `"15.35"` is 1535: exact, where a float would not be. */
export function toMinor(decimal: string): number {
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const units = Number(whole + fraction.padEnd(2, '0').slice(0, 2));
  return decimal.startsWith('-') ? -units : units;
}

/** As the shop writes money; none is `"0.00"`, as it is there. */
export const toDecimal = (minor: string | number | null): string => (Number(minor ?? 0) / 100).toFixed(2);
