import { DateTime, type DurationLikeObject } from 'luxon';

/** `YYYY-MM-DD HH:mm:ss` in the shop's time zone, as every DATETIME column holds it. */
export type LocalTime = string;

/** The shop's wall clock. The database server's own clock is never asked: it runs in another zone. */
export class LocalClock {
  constructor(
    private readonly timezone: string,
    private readonly milliseconds: () => number = Date.now,
  ) {}

  now(): LocalTime {
    return this.after({});
  }

  after(duration: DurationLikeObject): LocalTime {
    return DateTime.fromMillis(this.milliseconds(), { zone: this.timezone })
      .plus(duration)
      .toFormat('yyyy-MM-dd HH:mm:ss');
  }
}
