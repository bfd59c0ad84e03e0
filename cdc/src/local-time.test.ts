import { describe, expect, it } from '@jest/globals';
import { localToUtc } from './local-time.js';
import { seeded } from './testing/databases.js';

const berlin = localToUtc('Europe/Berlin');

describe('local time to UTC', () => {
  it.each([
    ['2024-01-15 12:00:00', '2024-01-15 11:00:00'],
    ['2024-07-15 12:00:00.123456', '2024-07-15 10:00:00.123456'],
    ['2024-07-15', '2024-07-14 22:00:00'],
    ['2024-03-31 01:59:59', '2024-03-31 00:59:59'],
    ['2024-03-31 03:00:00', '2024-03-31 01:00:00'],
    ['1893-03-31 12:00:00', '1893-03-31 11:06:32'],
    ['2024-12-31 23:59:59', '2024-12-31 22:59:59'],
    ['2024-01-01 00:30:00', '2023-12-31 23:30:00'],
  ])('%s in Berlin is %s', (local, utc) => {
    expect(berlin(local)).toEqual({ ok: true, value: utc });
  });

  it('the hour that comes twice means the first time', () => {
    expect(berlin('2024-10-27 02:30:00')).toEqual({ ok: true, value: '2024-10-27 00:30:00' });
    expect(berlin('2024-10-27 03:00:00')).toEqual({ ok: true, value: '2024-10-27 02:00:00' });
  });

  it('the hour that never came is an error', () => {
    expect(berlin('2024-03-31 02:30:00')).toEqual({
      ok: false,
      reason:
        'holds "2024-03-31 02:30:00", which was skipped in "Europe/Berlin" when clocks were set forward: correct the row',
    });
    expect(berlin('2024-03-31 02:00:00').ok).toBe(false);
    expect(berlin('2024-03-31 02:59:59.999').ok).toBe(false);
  });

  it.each([
    '0000-00-00 00:00:00',
    '2021-00-15 10:00:00',
    '2021-05-00',
    '2021-02-31 10:00:00',
    'yesterday',
    '',
  ])('"%s" is no moment', (text) => {
    expect(berlin(text).ok).toBe(false);
  });

  it('half an hour of summer time on Lord Howe has its gap and its overlap', () => {
    const lordHowe = localToUtc('Australia/Lord_Howe');
    expect(lordHowe('2024-10-06 02:15:00').ok).toBe(false);
    expect(lordHowe('2024-10-06 02:30:00')).toEqual({ ok: true, value: '2024-10-05 15:30:00' });
    expect(lordHowe('2024-04-07 01:45:00')).toEqual({ ok: true, value: '2024-04-06 14:45:00' });
  });

  it('a day that a zone left out is an error', () => {
    expect(localToUtc('Pacific/Apia')('2011-12-30 12:00:00').ok).toBe(false);
  });

  it('agrees with the clock of the zone at any moment, and asked again answers the same', () => {
    const random = seeded(11);
    for (const zone of ['Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'UTC', 'Africa/Casablanca']) {
      const convert = localToUtc(zone);
      const clock = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
      });
      for (let round = 0; round < 400; round++) {
        const moment = Math.floor(random() * 2_000_000_000) * 1_000;
        const local = clock.format(moment).replaceAll(' ', ' ');
        const converted = convert(local);
        if (!converted.ok) throw new Error(`${zone} ${local}: ${converted.reason}`);
        const found = Date.parse(`${String(converted.value).replace(' ', 'T')}Z`);
        // In an overlap it is the earlier of two moments with one wall clock.
        expect(clock.format(found)).toBe(clock.format(moment));
        expect(found).toBeLessThanOrEqual(moment);
        expect(convert(local)).toEqual(converted);
      }
    }
  });
});
