/** Sets how many clients a flag sends to the service. Unleash decides for each client; this only turns the dial. */
export type FlagWriter = {
  /** Percent of clients; 0 when the flag is off or not there; null when strategies of other kinds decide too. */
  share(flag: string): Promise<number | null>;
  /** Throws when `setShare` could not be carried out because flags are set elsewhere; asked before anything is changed. */
  maySet(flag: string, share: number): Promise<void>;
  /** Sets the percentage of the flag's rollout; 0 turns the flag off. Everything else that is there stays as it is. */
  setShare(flag: string, share: number): Promise<void>;
  /** Makes every flag that is not there yet, turned off. */
  ensure(flags: readonly string[]): Promise<void>;
  /** Takes a flag away that nobody reads any more. False: flags are set elsewhere, and somebody has to do it there. */
  remove(flag: string): Promise<boolean>;
};
