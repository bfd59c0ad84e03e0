import { IANAZone } from 'luxon';
import type { MappedValue } from './map-rules.js';

const CACHED_HOURS = 10_000;
const FOUR_CENTURIES = 146_097 * 86_400_000;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?)?$/;

/**
 * Local wall-clock time of a zone to UTC, both as the database prints them; digits of a second stay as they are.
 * In an overlap (clocks set back) the earlier of the two moments is meant. A time in a gap (clocks set forward) and a date
 * with a zero in it never was: they are errors. Offsets are those of the IANA database that comes with Node.
 */
export function localToUtc(zoneName: string): (text: string) => MappedValue {
  const zone = IANAZone.create(zoneName);
  const minutesOf = (moment: number) => zone.offset(moment);
  const cache = new Map<number, number | undefined>();

  /** Minutes east of UTC that hold for the whole local hour, or undefined when they change within it or around it. */
  const offsetOfHour = (asUtc: number): number | undefined => {
    if (cache.has(asUtc)) return cache.get(asUtc);
    const [before, after] = [minutesOf(asUtc - 86_400_000), minutesOf(asUtc + 86_400_000)];
    const offset =
      before === after &&
      minutesOf(asUtc - before * 60_000) === before &&
      minutesOf(asUtc + 3_599_999 - before * 60_000) === before
        ? before
        : undefined;
    if (cache.size >= CACHED_HOURS) cache.clear();
    cache.set(asUtc, offset);
    return offset;
  };

  return (text) => {
    const match = LOCAL.exec(text);
    if (!match) return { ok: false, reason: `holds "${text.slice(0, 60)}", which is not a date and time` };
    const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = ''] =
      match;
    if (month === '00' || day === '00')
      return { ok: false, reason: `holds "${text}", which is no moment: set it to NULL or to a real date` };
    const asUtc = momentOf(`${year}-${month}-${day}`, `${hour}:${minute}:${second}`);
    if (asUtc === undefined)
      return {
        ok: false,
        reason: `holds "${text}", which is no day of the calendar: set it to NULL or to a real date`,
      };
    let offset = offsetOfHour(asUtc - (((asUtc % 3_600_000) + 3_600_000) % 3_600_000));
    if (offset === undefined) {
      const candidates = [minutesOf(asUtc - 86_400_000), minutesOf(asUtc + 86_400_000)].filter(
        (minutes) => minutesOf(asUtc - minutes * 60_000) === minutes,
      );
      // The larger offset to the east gives the earlier moment.
      offset = candidates.length === 0 ? undefined : Math.max(...candidates);
    }
    if (offset === undefined)
      return {
        ok: false,
        reason: `holds "${text}", which was skipped in "${zoneName}" when clocks were set forward: correct the row`,
      };
    return printed(asUtc - offset * 60_000, fraction, text);
  };
}

const UTC = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?$/;
const QUARTER = 900_000;

/** UTC to the wall clock of a zone, both as the database prints them: every moment has one local time. */
export function utcToLocal(zoneName: string): (text: string) => MappedValue {
  const zone = IANAZone.create(zoneName);
  const cache = new Map<number, number>();
  const minutesOf = (moment: number): number => {
    const quarter = Math.floor(moment / QUARTER);
    const known = cache.get(quarter);
    if (known !== undefined) return known;
    const [first, last] = [zone.offset(quarter * QUARTER), zone.offset((quarter + 1) * QUARTER - 1)];
    if (first !== last) return zone.offset(moment);
    if (cache.size >= CACHED_HOURS) cache.clear();
    cache.set(quarter, first);
    return first;
  };
  return (text) => {
    const [, date = '', time = '', fraction = ''] = UTC.exec(text) ?? [];
    const moment = momentOf(date, time);
    if (moment === undefined)
      return { ok: false, reason: `holds "${text.slice(0, 60)}", which is no date and time` };
    return printed(moment + minutesOf(moment) * 60_000, fraction, text);
  };
}

/** Milliseconds since 1970 of a date and time in UTC; undefined when there is no such day or time. */
function momentOf(date: string, time: string): number | undefined {
  const [year, month, day] = [Number(date.slice(0, 4)), Number(date.slice(5, 7)), Number(date.slice(8, 10))];
  const [hour, minute, second] = [
    Number(time.slice(0, 2)),
    Number(time.slice(3, 5)),
    Number(time.slice(6, 8)),
  ];
  if (date === '' || hour > 23 || minute > 59 || second > 59 || day < 1 || month < 1 || month > 12)
    return undefined;
  // A year below 100 would be taken for one of the last century; 400 years are whole weeks and leap years.
  const moment = Date.UTC(year + 400, month - 1, day, hour, minute, second) - FOUR_CENTURIES;
  return day > 28 && new Date(moment).getUTCDate() !== day ? undefined : moment;
}

const two = (number: number): string => (number < 10 ? `0${number}` : String(number));

function printed(moment: number, fraction: string, text: string): MappedValue {
  const at = new Date(Math.round(moment));
  const year = at.getUTCFullYear();
  if (year < 0 || year > 9999)
    return { ok: false, reason: `holds "${text}", which is outside the years of a DATETIME` };
  const date = `${String(year).padStart(4, '0')}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  return {
    ok: true,
    value: `${date} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}${fraction}`,
  };
}
