import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import type { Logger } from 'pino';
import { z } from 'zod';
import { reasonOf, type TokenIssuer } from '@strangler/contracts';
import { issuerLost } from './errors.js';

/** The public keys of an issuer. */
export type IssuerKeys = {
  /** Throws what jose throws, or whatever kept the keys from being fetched. */
  readonly key: JWTVerifyGetKey;
  /** Counts the sets of keys there were: what an earlier one verified is to be verified again. */
  readonly generation: () => number;
  /** Asks for the keys, and again at intervals; nobody waits for that. */
  start(): void;
  stop(): void;
};

const TIMEOUT_MS = 5_000;
// Without any keys a failure keeps everybody from asking for so long: as many requests as there are clients would ask at once.
const RETRY_MS = 2_000;
const MAX_BYTES = 1_048_576;

// OpenID Connect Discovery 1.0, 4.3.
const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string() });
const keysSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

/**
 * jose's remote keys, with two promises of our own: once there were keys, no outage takes them away, and nobody waits for a
 * refresh. An unknown key id makes it ask at most once in `cooldownS`, answered or not.
 */
export function createIssuerKeys(
  name: string,
  plan: Pick<TokenIssuer, 'issuer' | 'jwks' | 'refreshS' | 'cooldownS'>,
  { log, now }: { log: Logger; now: () => number },
): IssuerKeys {
  let failedAt = -Infinity;
  let isLost = false;
  let known = '';
  let discovered: string | undefined;
  let generation = 0;
  let timer: NodeJS.Timeout | undefined;

  const fetchKeys = async (_url: string, { signal }: { signal: AbortSignal }): Promise<Response> => {
    const pauseMs = known === '' ? RETRY_MS : plan.cooldownS * 1_000;
    if (now() - failedAt < pauseMs) throw new Error('it did not answer a moment ago');
    try {
      discovered ??= plan.jwks ?? (await discover(plan.issuer as string, signal));
      const text = await get(discovered, signal);
      if (!keysSchema.safeParse(JSON.parse(text)).success) throw new Error('what it answers is no JWKS');
      if (text !== known) generation++;
      known = text;
      if (isLost) log.info({ auth: name }, `keys of auth "${name}" are back`);
      isLost = false;
      return new Response(text);
    } catch (error) {
      failedAt = now();
      // Keys may have moved: the next one to ask looks for their place anew.
      discovered = undefined;
      const { code, message } = issuerLost(name, reasonOf(error), known !== '');
      if (!isLost) log.warn({ code, auth: name }, message);
      isLost = true;
      throw error;
    }
  };
  const remote = createRemoteJWKSet(new URL(plan.jwks ?? (plan.issuer as string)), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: plan.cooldownS * 1_000,
    // The timer below keeps them fresh, so that no request ever waits for it.
    cacheMaxAge: Infinity,
    [customFetch]: fetchKeys,
  });
  const refresh = () => void remote.reload().catch(() => {});
  return {
    key: remote,
    generation: () => generation,
    start() {
      refresh();
      timer = setInterval(refresh, plan.refreshS * 1_000).unref();
    },
    stop: () => clearInterval(timer),
  };
}

async function discover(issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = discoverySchema.safeParse(JSON.parse(await get(url, signal)));
  if (!found.success) throw new Error('its discovery document names no issuer or no jwks_uri');
  if (found.data.issuer !== issuer) throw new Error('its discovery document is of another issuer');
  // Who can read and change the way to the keys can make keys.
  if (issuer.startsWith('https:') && !found.data.jwks_uri.startsWith('https:'))
    throw new Error('its jwks_uri has no https');
  return found.data.jwks_uri;
}

async function get(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`it answers ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`it answers more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
