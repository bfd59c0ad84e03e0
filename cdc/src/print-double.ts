/**
 * A DOUBLE as MySQL and MariaDB print it: the shortest digits that read back as the same number, plain down to
 * 1e-15 and up to where whole numbers have more than 15 digits, else as `1.5e300` without a plus sign (`my_gcvt` of the servers).
 */
export function printDouble(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (value === 0) return '0';
  const [mantissa = '', exponentText = '0'] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  const sign = value < 0 ? '-' : '';
  const isWhole = digits.length <= exponent + 1;
  if (exponent < -15 || (exponent > 14 && isWhole)) return `${sign}${mantissa}e${exponent}`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
