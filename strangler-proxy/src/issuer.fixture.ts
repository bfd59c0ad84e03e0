import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { createRig } from './proxy.fixture.js';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;
export type Key = KeyPair & { readonly kid: string; readonly alg: string; readonly jwk: JWK };

export async function newKey(alg = 'ES256'): Promise<Key> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { ...pair, kid, alg, jwk: { ...jwk, kid, alg, use: 'sig' } };
}

/** A real OpenID provider as far as verifiers see one: discovery and keys. */
export async function startIssuer(rig: ReturnType<typeof createRig>) {
  const first = await newKey();
  const state = { keys: [first.jwk], isDown: false, issuer: '', asked: [] as string[] };
  const { url } = await rig.server((request, response) => {
    state.asked.push(request.url ?? '');
    if (state.isDown) return void response.writeHead(500).end();
    response.setHeader('content-type', 'application/json');
    if (request.url === '/.well-known/openid-configuration')
      response.end(JSON.stringify({ issuer: state.issuer, jwks_uri: `${state.issuer}/jwks` }));
    else response.end(JSON.stringify({ keys: state.keys }));
  });
  state.issuer = url;
  const token = (
    claims: JWTPayload = {},
    { key = first, header = {} }: { key?: Pick<Key, 'privateKey' | 'kid' | 'alg'>; header?: object } = {},
  ) =>
    new SignJWT({ iss: url, aud: 'shop', sub: 'anna', exp: Math.floor(Date.now() / 1_000) + 60, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
      .sign(key.privateKey);
  return { url, state, first, token };
}
