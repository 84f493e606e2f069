/** Which virtual routers a pair of directors has, and which addresses are in each. Pure. */
import { formatIpPrefix, type IpPrefix, ipAddress } from '../../src/wire/ipAddress.js';
import { type RouterSettings, vrid } from './directorDaemon.js';
import { ipv6VirtualPrefixes, virtualPrefix } from './lan.js';

/** One virtual router of the layout. */
export interface LaidOutRouter {
  readonly name: string;
  readonly vrid: number;
  readonly addresses: readonly IpPrefix[];
}

/** Most addresses that one advertisement has room for. */
const addressesPerRouterMax = 250;

/** Identifiers go from 1 to this. */
const vridMax = 255;

/**
 * The routers of some settings: as few as have room for the addresses, or as many as are asked for.
 * The first is always `vip`. It has the address that clients use, as its last one: whoever adds or
 * announces the addresses one by one comes to that last. Of IPv6 there is one router.
 */
export function routerLayout(
  settings: Pick<RouterSettings, 'addressCount' | 'routerCount' | 'family'>,
): readonly LaidOutRouter[] {
  const { addressCount = 1, routerCount = 1, family = 4 } = settings;
  if (family === 6) return [{ name: 'vip', vrid, addresses: ipv6VirtualPrefixes }];
  const count = Math.max(routerCount, Math.ceil(addressCount / addressesPerRouterMax));
  const share = Math.ceil(addressCount / count);
  let left = addressCount;
  return Array.from({ length: count }, (_, index) => {
    // Every router has one at least, and none is left for later.
    const size = Math.max(1, Math.min(share, left - (count - index - 1)));
    left -= size;
    const others = Array.from({ length: size }, (_, place) => otherPrefix(index, place));
    return {
      name: index === 0 ? 'vip' : `vip${index + 1}`,
      vrid: ((vrid - 1 + index) % vridMax) + 1,
      addresses: index === 0 ? [...others.slice(1), virtualPrefix] : others,
    };
  });
}

/** The addresses of a router as both configurations list them. */
export function prefixTexts(router: LaidOutRouter): readonly string[] {
  return router.addresses.map(formatIpPrefix);
}

function otherPrefix(router: number, place: number): IpPrefix {
  return { address: ipAddress(`10.77.${router}.${place + 1}`), length: 32 };
}
