import { parseAddress } from './address.js';
import { isLoopback } from './guard-admin.js';

type Parts = Readonly<Record<string, unknown>>;

/** Complains of every admin port that others than this machine reach and that asks for no token. */
export function checkAdmin(
  plan: { readonly proxy: Parts; readonly sync: Parts; readonly control: Parts },
  complain: (path: readonly string[], message: string, remedy: string) => void,
): void {
  const addresses = { proxy: plan.proxy['admin'], sync: plan.sync['admin'], control: plan.control['listen'] };
  for (const name of ['proxy', 'sync', 'control'] as const) {
    const text = addresses[name];
    const address = typeof text === 'string' ? parseAddress(text) : undefined;
    if (address && !isLoopback(address.host) && plan[name]['adminToken'] === undefined)
      complain(
        [name],
        'has no "adminToken", and more than this machine reaches its admin port',
        `add "adminToken: !env STRANGLER_${name.toUpperCase()}_TOKEN", made with "openssl rand -hex 32", or bind it to 127.0.0.1`,
      );
  }
}
