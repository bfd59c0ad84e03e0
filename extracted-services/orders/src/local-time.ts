import { DateTime } from 'luxon';

const FORMAT = 'yyyy-MM-dd HH:mm:ss';

/** An instant as the shop has always printed it: `YYYY-MM-DD HH:mm:ss` on the wall clock of `timezone`. */
export const toLocalTime = (instant: Date | null, timezone: string): string | null =>
  instant && DateTime.fromJSDate(instant, { zone: timezone }).toFormat(FORMAT);

/**
 * Now, as the shop can say it: in whole seconds, and in the hour that comes twice when the clocks go back as in the first of the two.
 * While rows go back to the shop, any other instant of that hour would have no way there.
 */
export class Clock {
  constructor(
    private readonly timezone: string,
    private readonly milliseconds: () => number = Date.now,
  ) {}

  now(): Date {
    const now = DateTime.fromMillis(this.milliseconds(), { zone: this.timezone }).startOf('second');
    const [first = now] = now.getPossibleOffsets();
    return first.toJSDate();
  }
}
