/**
 * The trackers that nobody writes down: an Active whose clients reach it by an interface other than
 * that of the election is of no use to them while that interface is down. Pure.
 */
import type { LinkTrackerSpec } from '../track/model.js';
import type { VirtualRouterSpec } from './protocol.js';

/**
 * One for each interface that tracked addresses are on, beside those of the election; the device of
 * a virtual MAC address is not one of them: it is down on purpose while its router is not Active.
 */
export function addressTrackers(routers: readonly VirtualRouterSpec[]): readonly LinkTrackerSpec[] {
  const routersOf = new Map<string, string[]>();
  for (const { name, interface: own, addresses, virtualMac } of routers) {
    const elsewhere = addresses
      .filter(({ tracked }) => tracked !== false)
      .map((address) => address.interface)
      .filter((each) => each !== own && each !== virtualMac?.interface);
    for (const each of new Set(elsewhere)) {
      routersOf.set(each, [...(routersOf.get(each) ?? []), name]);
    }
  }
  return [...routersOf].map(([each, names]) => ({
    // The names of configured trackers have no space, so that these are none of theirs.
    name: `addresses on ${each}`,
    subject: { type: 'interface', interface: each },
    effects: names.map((router) => ({ router, weight: 0 })),
  }));
}
