/** What the price of a product is made of, as the DECIMAL columns give it. */
export interface PriceParts {
  readonly price: string | null;
  readonly discount_pct: string | null;
  readonly tax_pct: string | null;
}

/** `"12.9"` with 2 digits is 1290: exact, where a float would not be. */
export function toUnits(decimal: string, digits: number): number {
  const negative = decimal.startsWith('-');
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const units = Number(whole + fraction.padEnd(digits, '0').slice(0, digits));
  return negative ? -units : units;
}

export const toDecimal = (cents: number): string => (cents / 100).toFixed(2);

const roundHalfUp = (thousandths: number): number => Math.floor((thousandths + 500) / 1000);

/**
 * Gross price in cents, rounded half up in two places: after the discount and again after the tax.
 * No discount and no tax count as 0; no price is no price.
 */
export function grossCents({ price, discount_pct, tax_pct }: PriceParts): number | null {
  if (price === null) return null;
  const discounted = roundHalfUp(toUnits(price, 2) * (1000 - toUnits(discount_pct ?? '0', 1)));
  return roundHalfUp(discounted * (1000 + toUnits(tax_pct ?? '0', 1)));
}
