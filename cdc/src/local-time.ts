import { DateTime, IANAZone } from 'luxon';
import type { MappedValue } from './map-rules.js';

const CACHED_HOURS = 10_000;
/** Of `2024-01-02 03`, and what may follow it. */
const HOUR_LETTERS = 13;
const IN_HOUR = /^:[0-5]\d:[0-5]\d(?:\.\d+)?$/;
const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?)?$/;

/**
 * Local wall-clock time of a zone to UTC, both as the database prints them; digits of a second stay as they are.
 * In an overlap (clocks set back) the earlier of the two moments is meant. A time in a gap (clocks set forward) and a date
 * with a zero in it never was: they are errors. Offsets are those of the IANA database that comes with Node.
 */
export function localToUtc(zoneName: string): (text: string) => MappedValue {
  const zone = IANAZone.create(zoneName);
  const minutesOf = (moment: number) => zone.offset(moment);
  const cache = new Map<string, number | undefined>();
  /** UTC of whole local hours, for those that have one offset of whole hours: what follows the hour is the same in both. */
  const hours = new Map<string, string>();

  /** Minutes east of UTC that hold for the whole local hour, or undefined when they change within it or around it. */
  const offsetOfHour = (hour: string, asUtc: number): number | undefined => {
    if (cache.has(hour)) return cache.get(hour);
    const [before, after] = [minutesOf(asUtc - 86_400_000), minutesOf(asUtc + 86_400_000)];
    const offset =
      before === after &&
      minutesOf(asUtc - before * 60_000) === before &&
      minutesOf(asUtc + 3_599_999 - before * 60_000) === before
        ? before
        : undefined;
    if (cache.size >= CACHED_HOURS) cache.clear();
    cache.set(hour, offset);
    return offset;
  };

  return (text) => {
    const known = hours.get(text.slice(0, HOUR_LETTERS));
    const rest = text.slice(HOUR_LETTERS);
    if (known !== undefined && IN_HOUR.test(rest)) return { ok: true, value: known + rest };
    const match = LOCAL.exec(text);
    if (!match) return { ok: false, reason: `holds "${text.slice(0, 60)}", which is not a date and time` };
    const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = ''] =
      match;
    if (month === '00' || day === '00')
      return { ok: false, reason: `holds "${text}", which is no moment: set it to NULL or to a real date` };
    const hourText = `${year}-${month}-${day}T${hour}`;
    const wall = DateTime.fromISO(`${hourText}:${minute}:${second}`, { zone: 'utc' });
    if (!wall.isValid)
      return {
        ok: false,
        reason: `holds "${text}", which is no day of the calendar: set it to NULL or to a real date`,
      };
    const asUtc = wall.toMillis();
    let offset = offsetOfHour(hourText, DateTime.fromISO(`${hourText}:00:00`, { zone: 'utc' }).toMillis());
    const isOneOffset = offset !== undefined;
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
    const utc = DateTime.fromMillis(asUtc - offset * 60_000, { zone: 'utc' });
    if (utc.year < 0 || utc.year > 9999)
      return { ok: false, reason: `holds "${text}", which is outside the years of a DATETIME` };
    const value = `${utc.toFormat('yyyy-MM-dd HH:mm:ss')}${fraction}`;
    if (isOneOffset && offset % 60 === 0 && IN_HOUR.test(rest)) {
      if (hours.size >= CACHED_HOURS) hours.clear();
      hours.set(text.slice(0, HOUR_LETTERS), value.slice(0, HOUR_LETTERS));
    }
    return { ok: true, value };
  };
}
