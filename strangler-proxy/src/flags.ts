import type { Client } from './identify.js';

/** Answers whether a flag is on for a client, from definitions that change while the program runs. */
export type Flags = {
  /** A flag nobody has heard of is off. The same client gets the same answer as long as the definition stays. */
  isOn(flag: string, client: Client): boolean;
  /** Whether it is there and enabled at all; one that is not is off for everybody, at once. */
  isEnabled(flag: string): boolean;
  /**
   * What the flag tells clients apart by: tenant, session or user as its one gradual rollout says, and the client's own id
   * where the request has none of that. So every client has a place in the rollout, and 100 % is 100 %.
   */
  stickTo(flag: string, client: Client): string;
  /**
   * Percent of clients the flag is on for: 0 when it is off or unknown, the number of its one gradual rollout, and null when
   * it cannot be told (constraints, segments, several strategies).
   */
  share(flag: string): number | null;
  /** Where the client stands in the flag's gradual rollout, 1 to 100; null when the flag has none or the client no id. */
  bucket(flag: string, client: Client | undefined): number | null;
  /** Changes whenever the definition of the flag changes; equal texts are equal definitions. */
  definition(flag: string): string;
  /** Called after each change of any definition. */
  onChange(listener: () => void): void;
  start(): Promise<void>;
  stop(): void;
};

/** For a plan without flags: everything is off. */
export const noFlags: Flags = {
  isOn: () => false,
  isEnabled: () => false,
  stickTo: (_flag, client) => client.id,
  share: () => 0,
  bucket: () => null,
  definition: () => '',
  onChange: () => {},
  start: async () => {},
  stop: () => {},
};
