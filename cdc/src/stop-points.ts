/** Places in the flow where a test may hold it to bring about a race. */
export const STOP_POINT_NAMES = [
  'after-low-watermark',
  'chunk-read',
  'before-commit',
  'after-commit',
] as const;
/** `chunk-verified` is a place of a verification, which runs beside the flow; `stream-owned` one of each start, and the others of a handover. */
export type StopPointName =
  (typeof STOP_POINT_NAMES)[number] | 'chunk-verified' | 'handover-taken' | 'handover-noted' | 'stream-owned';

/** Called at every stop point; the flow waits for it. */
export type StopPoints = (name: StopPointName) => Promise<void>;

export const noStopPoints: StopPoints = async () => {};
