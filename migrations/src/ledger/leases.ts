/** Who may carry on the cutover of a unit. Each taking has a token of its own, higher than all before: what is written under an older one is refused. */
export type Leases = {
  /** The token, or who has the lease now. */
  take(
    unit: string,
    owner: string,
    lastsMs: number,
  ): Promise<{ readonly token: number } | { readonly holder: string }>;
  /** False: somebody else has taken it since. */
  renew(unit: string, token: number, lastsMs: number): Promise<boolean>;
  /** Lets go of it at once, if it is still ours. */
  release(unit: string, token: number): Promise<void>;
};
