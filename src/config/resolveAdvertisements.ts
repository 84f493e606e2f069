/** From the keys of a virtual router that say how it advertises to what the election runs on. */
import type { HmacSpec, UnicastSpec, VirtualRouterSpec } from '../vrrp/protocol.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { NodeConfig } from './model.js';
import { onNode } from './schema/containerTypes.js';
import type { RootComplete } from './schema/rootDefinition.js';

type RouterComplete = RootComplete['virtualRouters'][number];

/** The window of clocks is at least this, in milliseconds. */
const windowMinMs = 5_000;

/** The part of a router's settings that is about its advertisements. */
export function resolveAdvertisements(
  router: RouterComplete,
  node: NodeConfig,
  nodes: readonly NodeConfig[],
): Pick<VirtualRouterSpec, 'version' | 'password' | 'hmac' | 'unicast'> {
  const { version, authentication, hmac, unicast } = router;
  return {
    version,
    ...(authentication === undefined ? {} : { password: authentication.password }),
    ...(hmac === undefined ? {} : { hmac: resolveHmac(hmac, router.advertInterval) }),
    ...(unicast === undefined ? {} : { unicast: resolveUnicast(unicast, node, nodes) }),
  };
}

function resolveHmac(
  { keys, sendKey, mode, antiReplay, window }: NonNullable<RouterComplete['hmac']>,
  advertIntervalMs: number,
): HmacSpec {
  const windowMs = window ?? Math.max(3 * advertIntervalMs, windowMinMs);
  return {
    keys: keys.map(({ id, file, hex }) => ({
      id,
      // The cross checks saw to it that each key is given in one way.
      source:
        file === undefined ? { kind: 'hex', digits: hex ?? '' } : { kind: 'file', path: file },
    })),
    sendKeyId: sendKey ?? keys[0]?.id ?? 0,
    mode,
    antiReplay,
    windowSeconds: Math.ceil(windowMs / 1000),
  };
}

function resolveUnicast(
  { peers, source, ttl }: NonNullable<RouterComplete['unicast']>,
  node: NodeConfig,
  nodes: readonly NodeConfig[],
): UnicastSpec {
  const sourceOn = ({ name }: NodeConfig): IpAddress | undefined =>
    source === undefined ? undefined : onNode(source, name);
  const own = sourceOn(node);
  const others = nodes.filter((other) => other !== node);
  const all = peers ?? others.map((other) => sourceOn(other) ?? other.address);
  return {
    peers: [...new Set(all)].filter((peer) => peer !== own && peer !== node.address),
    ...(own === undefined ? {} : { source: own }),
    ...(ttl.min === undefined ? {} : { ttlMin: ttl.min }),
    ttlMax: ttl.max,
  };
}
