/** Which way packets go on a machine, by its facts. Pure. */
import { familyOf, type IpAddress, isLinkLocal, prefixContains } from '../wire/ipAddress.js';
import type { LinkFact, MachineFacts, NetworkFacts, RouteFact } from './facts.js';

/** The route of the main table for an address: the longest prefix that contains it. */
export function routeTo(facts: NetworkFacts, address: IpAddress): RouteFact | undefined {
  return facts.routes
    .filter(({ destination }) => prefixContains(destination, address))
    .reduce<RouteFact | undefined>(
      (best, route) =>
        best !== undefined && best.destination.length >= route.destination.length ? best : route,
      undefined,
    );
}

/** Whether an address is one of this machine. */
export function isOwn(facts: NetworkFacts, address: IpAddress): boolean {
  return facts.addresses.some(({ prefix }) => prefix.address === address);
}

/** The interface that a virtual address is on, or would be on: by its network, or by its route. */
export function interfaceFor(facts: NetworkFacts, address: IpAddress): string | undefined {
  const holder = facts.addresses.find(
    (entry) => entry.prefix.address === address && entry.interface !== 'lo',
  );
  if (holder !== undefined) return holder.interface;
  const neighbour = facts.addresses.find(
    ({ interface: name, prefix }) => name !== 'lo' && prefixContains(prefix, address),
  );
  return neighbour?.interface ?? routeTo(facts, address)?.interface;
}

/** The link of a name. */
export function linkOf(facts: NetworkFacts, name: string | undefined): LinkFact | undefined {
  return facts.links.find((link) => link.name === name);
}

/** The interface that clients of a virtual address answer to, as far as one is known. */
export function isOnLink(facts: NetworkFacts, address: IpAddress): boolean {
  const route = routeTo(facts, address);
  return route !== undefined && route.gateway === undefined;
}

/**
 * An address of this machine that packets to another come from: one in its network, or one of the
 * interface on the way to it.
 */
export function ownAddressTowards(facts: NetworkFacts, address: IpAddress): IpAddress | undefined {
  const name = routeTo(facts, address)?.interface;
  const family = familyOf(address);
  const candidates = facts.addresses.filter(
    (entry) =>
      entry.interface === name &&
      familyOf(entry.prefix.address) === family &&
      // Answers to an address of the link alone do not come through a router.
      (isLinkLocal(address) || !isLinkLocal(entry.prefix.address)),
  );
  const beside = candidates.find(({ prefix }) => prefixContains(prefix, address));
  return (beside ?? candidates[0])?.prefix.address;
}

/** The setting that counts for an interface: the larger of `all` and its own (ip-sysctl.rst). */
export function effectiveSetting(
  facts: MachineFacts,
  interfaceName: string,
  parameter: string,
): number {
  return Math.max(
    ...['all', interfaceName.replaceAll('.', '/')].map((name) =>
      Number(facts.settings[`net.ipv4.conf.${name}.${parameter}`] ?? 0),
    ),
  );
}

/** How the holder of an address is asked for on a link, in words. */
export function holderQuestion(address: IpAddress): {
  readonly name: string;
  /** `an ARP request`. */
  readonly request: string;
} {
  return familyOf(address) === 4
    ? { name: 'ARP', request: 'an ARP request' }
    : { name: 'neighbor discovery', request: 'a neighbor solicitation' };
}
