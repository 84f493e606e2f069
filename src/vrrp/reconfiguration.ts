/**
 * What a new configuration means for the virtual routers that run: the least that gets there.
 */
import type { IpFamily } from '../wire/ipAddress.js';
import type { SyncGroupSpec, VirtualRouterSpec, VrrpConfiguration } from './protocol.js';
import { familyOfRouter } from './virtualRouter.js';

/**
 * What makes a virtual router the one that it is on the wire: its identifier on its interface, of
 * its family: `eth0/51`, or `eth0/51/ipv6`. The name is ours alone, so a renamed router goes on.
 */
export type RouterKey = `${string}/${number}` | `${string}/${number}/ipv6`;

/** The key of a virtual router. */
export function routerKey(
  router: Pick<VirtualRouterSpec, 'interface' | 'vrid' | 'addresses'>,
): RouterKey {
  return wireKey(router.interface, familyOfRouter(router), router.vrid);
}

/** The key of the virtual router that a packet names. */
export function wireKey(interfaceName: string, family: IpFamily, vrid: number): RouterKey {
  return family === 4 ? `${interfaceName}/${vrid}` : `${interfaceName}/${vrid}/ipv6`;
}

/** A sync group whose members are keys instead of names. */
export interface ResolvedSyncGroup {
  readonly name: string;
  readonly members: readonly RouterKey[];
}

/** The difference between two configurations. */
export interface Reconfiguration {
  /** Routers that are configured no longer: they resign. */
  readonly stops: readonly RouterKey[];
  /** Routers of the same key with other settings: applied live. */
  readonly changes: readonly VirtualRouterSpec[];
  /** Routers that were not there before. */
  readonly starts: readonly VirtualRouterSpec[];
  readonly groups: readonly ResolvedSyncGroup[];
}

/** Compares the running routers with a configuration. Unchanged routers are in no list. */
export function planReconfiguration(
  running: readonly VirtualRouterSpec[],
  next: VrrpConfiguration,
): Reconfiguration {
  const wanted = new Map(next.routers.map((spec) => [routerKey(spec), spec]));
  const current = new Map(running.map((spec) => [routerKey(spec), spec]));
  return {
    stops: [...current.keys()].filter((key) => !wanted.has(key)),
    changes: [...wanted]
      .filter(([key, spec]) => current.has(key) && !isSameValue(current.get(key), spec))
      .map(([, spec]) => spec),
    starts: [...wanted].filter(([key]) => !current.has(key)).map(([, spec]) => spec),
    groups: next.syncGroups.map((group) => resolveGroup(group, next.routers)),
  };
}

function resolveGroup(
  group: SyncGroupSpec,
  routers: readonly VirtualRouterSpec[],
): ResolvedSyncGroup {
  const members = routers.filter((router) => group.members.includes(router.name)).map(routerKey);
  return { name: group.name, members };
}

/** Whether two configuration values are the same: plain data, so keys and leaves say it all. */
export function isSameValue(left: unknown, right: unknown): boolean {
  if (!isObject(left) || !isObject(right)) return left === right;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && isSameValue(left[key], right[key]))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
