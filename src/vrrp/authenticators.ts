/** The authentication of all virtual routers, with their keys read from where they are. */
import { readFileSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { type HmacKey, parseHmacKey } from '../wire/vrrpAuthentication.js';
import { Authenticator } from './authenticator.js';
import type { HmacSpec, KeySource, VirtualRouterSpec } from './protocol.js';
import { type RouterKey, routerKey } from './reconfiguration.js';

/** By virtual router; those without authentication are not in it. */
export type Authenticators = ReadonlyMap<RouterKey, Authenticator>;

/**
 * Reads all keys anew, so that a reload takes over a key file that has changed. What was sent and
 * heard so far is kept. Throws VRRP_KEY_UNUSABLE, and nothing has changed then.
 */
export function readAuthenticators(
  routers: readonly VirtualRouterSpec[],
  previous: Authenticators = new Map(),
): Authenticators {
  const authenticators = new Map<RouterKey, Authenticator>();
  for (const spec of routers) {
    const { hmac, name } = spec;
    if (hmac === undefined) continue;
    const key = routerKey(spec);
    const keys = hmac.keys.map((each) => readKey(name, each));
    authenticators.set(key, new Authenticator({ ...spec, hmac }, keys, previous.get(key)));
  }
  return authenticators;
}

function readKey(router: string, { id, source }: HmacSpec['keys'][number]): HmacKey {
  try {
    return { id, key: parseHmacKey(contentOf(source)) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const place = source.kind === 'file' ? ` in ${source.path}` : '';
    throw new TandemError(
      'VRRP_KEY_UNUSABLE',
      `virtual router ${router}: key ${id}${place}: ${reason}`,
      { cause },
    );
  }
}

function contentOf(source: KeySource): Uint8Array {
  if (source.kind === 'file') return readFileSync(source.path);
  return new TextEncoder().encode(`hex:${source.digits}`);
}
