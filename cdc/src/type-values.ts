import type { TypeRule } from '@strangler/contracts';
import type { MappedValue } from './map-rules.js';

const ok = (value: string): MappedValue => ({ ok: true, value });
const wrong = (text: string, what: string): MappedValue => ({
  ok: false,
  reason: `holds "${text.slice(0, 60)}", which is ${what}`,
});
type Convert = (text: string) => MappedValue;
/** One rule as two functions: source text to target text, and back. */
export type TypeValues = { readonly there: Convert; readonly back: Convert };

/** `+007.50` as `7.50`: every digit that says something, and those behind the point. */
const plain = (sign: string, whole: string, fraction: string): string => {
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  const isZero = !/[1-9]/.test(digits + fraction);
  return `${sign === '-' && !isZero ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}`;
};

const toInteger: Convert = (text) => {
  const [, sign = '', whole = ''] = /^([+-]?)(\d+)(?:\.0*)?$/.exec(text) ?? [];
  return whole === '' ? wrong(text, 'no whole number') : ok(plain(sign, whole, ''));
};
const toDecimal: Convert = (text) => {
  const match = /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?$/.exec(text);
  return match ? ok(plain(match[1] ?? '', match[2] ?? '', match[3] ?? '')) : wrong(text, 'no decimal number');
};
const toJson: Convert = (text) => {
  try {
    JSON.parse(text);
    return ok(text);
  } catch {
    return wrong(text, 'no JSON');
  }
};

const isRealDate = (year: number, month: number, day: number): boolean => {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};

type Moment = Readonly<Record<'YYYY' | 'MM' | 'DD' | 'HH' | 'mm' | 'ss', string>>;
const PARTS = /YYYY|MM|DD|HH|mm|ss/g;
const DIGITS: Moment = {
  YYYY: '(\\d{4})',
  MM: '(\\d\\d)',
  DD: '(\\d\\d)',
  HH: '(\\d\\d)',
  mm: '(\\d\\d)',
  ss: '(\\d\\d)',
};

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);

/** A format such as `DD.MM.YYYY HH:mm:ss`, read and written. */
function formatted(format: string): {
  readonly parse: (text: string) => Moment | undefined;
  readonly print: (moment: Moment) => string;
} {
  const names = format.match(PARTS) ?? [];
  let [pattern, at] = ['', 0];
  for (const match of format.matchAll(PARTS)) {
    pattern += escaped(format.slice(at, match.index)) + DIGITS[match[0] as keyof Moment];
    at = match.index + match[0].length;
  }
  const expression = new RegExp(`^${pattern}${escaped(format.slice(at))}$`);
  return {
    parse(text) {
      const found = expression.exec(text);
      if (!found) return undefined;
      const moment = { YYYY: '', MM: '', DD: '', HH: '00', mm: '00', ss: '00' };
      names.forEach((name, index) => (moment[name as keyof Moment] = found[index + 1] ?? ''));
      const isTime = moment.HH < '24' && moment.mm < '60' && moment.ss < '60';
      return isTime && isRealDate(Number(moment.YYYY), Number(moment.MM), Number(moment.DD))
        ? moment
        : undefined;
    },
    print: (moment) => format.replaceAll(PARTS, (name) => moment[name as keyof Moment]),
  };
}

const ISO_DATE = formatted('YYYY-MM-DD');
const ISO_TIME = formatted('YYYY-MM-DD HH:mm:ss');
const MIDNIGHT = /^(.{10}) 00:00:00(?:\.0*)?$/;

const toDate: Convert = (text) => {
  const day = MIDNIGHT.exec(text)?.[1] ?? text;
  return ISO_DATE.parse(day) ? ok(day) : wrong(text, 'no date, or has a time of day');
};
const toDatetime: Convert = (text) => {
  const [, day = '', time = '00:00:00', fraction = ''] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(\.\d{1,6})?)?$/.exec(text) ?? [];
  return ISO_TIME.parse(`${day} ${time}`) ? ok(`${day} ${time}${fraction}`) : wrong(text, 'no date and time');
};

function byFormat(
  format: string,
  inner: ReturnType<typeof formatted>,
  trim: (text: string) => string,
): TypeValues {
  const outer = formatted(format);
  return {
    there(text) {
      const moment = outer.parse(text);
      return moment ? ok(inner.print(moment)) : wrong(text, `not written as "${format}"`);
    },
    back(text) {
      const moment = inner.parse(trim(text));
      return moment ? ok(outer.print(moment)) : wrong(text, `not to be written as "${format}"`);
    },
  };
}

/** Seconds or milliseconds since 1970 in UTC. */
function byEpoch(digits: 0 | 3): TypeValues {
  const unit = digits === 0 ? 1000 : 1;
  return {
    there(text) {
      const date = new Date(Number(text) * unit);
      if (!/^-?\d{1,15}$/.test(text) || Number.isNaN(date.getTime()) || !/^\d/.test(date.toISOString()))
        return wrong(text, 'no time since 1970');
      const iso = date.toISOString();
      return ok(`${iso.slice(0, 10)} ${iso.slice(11, digits === 0 ? 19 : 23)}`);
    },
    back(text) {
      const [, moment = '', fraction = ''] = /^(.{19})(?:\.(\d+))?$/.exec(text) ?? [];
      if (!ISO_TIME.parse(moment) || /[1-9]/.test(fraction.slice(digits)))
        return wrong(text, `not to be written in ${digits === 0 ? 'seconds' : 'milliseconds'} since 1970`);
      const seconds = Date.parse(`${moment.replace(' ', 'T')}Z`) / 1000;
      return ok(
        String(digits === 0 ? seconds : seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'))),
      );
    },
  };
}

function byWords(format: string): TypeValues {
  const [yes = '1', no = '0'] = format.split('/');
  return {
    there: (text) =>
      text === yes ? ok('1') : text === no ? ok('0') : wrong(text, `neither "${yes}" nor "${no}"`),
    back: (text) => (text === '1' ? ok(yes) : text === '0' ? ok(no) : wrong(text, 'neither 0 nor 1')),
  };
}

/** Compiles a `type` rule. */
export function typeValues({ as, format }: TypeRule): TypeValues {
  if (as === 'boolean') return byWords(format ?? '1/0');
  if (format === 'unix') return byEpoch(0);
  if (format === 'unix-ms') return byEpoch(3);
  if (format !== undefined)
    return as === 'date'
      ? byFormat(format, ISO_DATE, (text) => MIDNIGHT.exec(text)?.[1] ?? text)
      : byFormat(format, ISO_TIME, (text) => text.replace(/\.0*$/, ''));
  const there = {
    integer: toInteger,
    decimal: toDecimal,
    text: ok,
    date: toDate,
    datetime: toDatetime,
    json: toJson,
  }[as];
  return { there, back: ok };
}
