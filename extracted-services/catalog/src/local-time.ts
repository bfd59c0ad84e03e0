import { DateTime } from 'luxon';

/** An instant as the shop has always printed it: `YYYY-MM-DD HH:mm:ss` on the wall clock of `timezone`. */
export const toLocalTime = (instant: Date | null, timezone: string): string | null =>
  instant && DateTime.fromJSDate(instant, { zone: timezone }).toFormat('yyyy-MM-dd HH:mm:ss');
