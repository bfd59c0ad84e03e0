export type KafkaPlace = {
  readonly brokers: readonly string[];
  readonly connect: string;
  /** kill -9, and started again on what it has written. */
  readonly restart: (which: 'broker' | 'worker') => Promise<void>;
};
/** Of the file that `STRANGLER_KAFKA` names. */
export function kafkaPlace(file: string): KafkaPlace;
