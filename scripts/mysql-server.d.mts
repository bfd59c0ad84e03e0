/** A database server that is ours until `stop`; `how` says in a few words where it came from. */
export type Server = { readonly url: string; readonly how: string; readonly stop: () => Promise<void> };
/** A private one that can be hurt: `restart` ends it by a signal and starts it on the same data and port. */
export type PrivateServer = Server & {
  readonly pid: () => number;
  readonly restart: (signal: NodeJS.Signals) => Promise<void>;
};

export function startServer(options?: {
  readonly folder?: string;
  readonly args?: readonly string[];
  readonly program?: string;
}): Promise<PrivateServer>;

export function provideMysql(options?: {
  readonly folder?: string;
  readonly say?: (sentence: string) => void;
}): Promise<Server>;
