/** A database server that is ours until `stop`; `how` says in a few words where it came from. */
export type Server = { readonly url: string; readonly how: string; readonly stop: () => Promise<void> };

export function startServer(options?: {
  readonly folder?: string;
  readonly args?: readonly string[];
  readonly program?: string;
}): Promise<Server>;

export function provideMysql(options?: {
  readonly folder?: string;
  readonly say?: (sentence: string) => void;
}): Promise<Server>;
