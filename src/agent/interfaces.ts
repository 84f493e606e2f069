/** Sees that every interface of the configuration exists, before anything is changed. */
import type { TandemConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import { openRouteNetlink } from '../kernel/routeNetlink.js';

/** Throws `INTERFACE_MISSING` that names every missing interface and who wants it. */
export function requireInterfaces(config: TandemConfig): void {
  const netlink = openRouteNetlink();
  try {
    const existing = new Set(netlink.links().map((link) => link.name));
    const missing = wantedInterfaces(config).filter((wanted) => !existing.has(wanted.name));
    if (missing.length === 0) return;
    const list = missing.map((wanted) => `${wanted.name} (${wanted.wantedBy})`).join(', ');
    throw new TandemError('INTERFACE_MISSING', `no such interface: ${list}`, {
      hint: `This machine has: ${[...existing].join(', ')}.`,
    });
  } finally {
    netlink.close();
  }
}

function wantedInterfaces(
  config: TandemConfig,
): readonly { readonly name: string; readonly wantedBy: string }[] {
  const wanted = new Map<string, string>();
  const want = (name: string, wantedBy: string): void => {
    if (!wanted.has(name)) wanted.set(name, wantedBy);
  };
  for (const router of config.virtualRouters) {
    if (router.dynamic === true) continue;
    want(router.interface, `virtual router ${router.name}`);
    for (const address of router.addresses) {
      // The device of a virtual MAC address is made when the election starts.
      if (address.interface === router.virtualMac?.interface) continue;
      want(address.interface, `an address of virtual router ${router.name}`);
    }
    for (const route of router.routes ?? []) {
      if (route.interface === undefined) continue;
      want(route.interface, `a route of virtual router ${router.name}`);
    }
  }
  for (const session of config.bfd) want(session.interface, `BFD session ${session.name}`);
  if (config.connectionSync.mode === 'kernel') {
    want(config.connectionSync.interface, 'connectionSync.interface');
  }
  return [...wanted].map(([name, wantedBy]) => ({ name, wantedBy }));
}
