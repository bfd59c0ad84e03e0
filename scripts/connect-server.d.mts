type Place = { readonly libs: string; readonly folder: string; readonly broker: number };
type How = { readonly isTied?: boolean; readonly say?: (sentence: string) => void };

export function freePort(): Promise<number>;
/** Resolves with its process id when it answers. */
export function startBroker(options: Place & How & { readonly controller: number }): Promise<number>;
/** Resolves with its process id when its REST interface answers. */
export function startWorker(options: Place & How & { readonly connect: number }): Promise<number>;
export function endProcess(pid: number, milliseconds?: number): Promise<void>;
