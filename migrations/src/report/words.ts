/** Numbers as a reader meets them in a report or on a terminal. */
export const percent = (value: number | null): string =>
  value === null ? 'unknown' : `${Number.isInteger(value) ? value : value.toFixed(1)} %`;

export const milliseconds = (value: number | null): string =>
  value === null
    ? 'not measured'
    : value < 10_000
      ? `${Math.round(value)} ms`
      : `${(value / 1000).toFixed(0)} s`;

export const count = (value: number): string => value.toLocaleString('en-US');

/** `2026-11-23 06:42:26 UTC` */
export const moment = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
