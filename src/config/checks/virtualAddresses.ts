/** Cross checks of the addresses of virtual routers: who holds what, and who owns it. */
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import { onNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { familyOfRouterDraft } from './advertisements.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';

type RouterDraft = NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>;

/** Priority of the router that owns the addresses as its own (RFC 9568, 5.2.4). */
const ownerPriority = 255;

/** All of them. */
export function checkVirtualAddresses(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const holders = new FirstOwners<string>();
  for (const [index, router] of present(draft.virtualRouters)) {
    const path = ['virtualRouters', index];
    const routerName = router.name ?? `virtualRouters[${index}]`;
    for (const [here, virtual] of addressesOf(path, router)) {
      findings.push(...checkPerNode(draft, [...here, 'interface'], virtual.interface));
      if (virtual.address === undefined) continue;
      const { address } = virtual.address;
      const holder = holders.claim(address, routerName);
      if (holder !== undefined) {
        const hint = 'an address is in one virtual router';
        findings.push(
          errorAt(here, `${address} is held by virtual router ${holder} already`, hint),
        );
      }
      findings.push(...checkNotOwned(draft, router, here, address));
    }
    findings.push(...checkOwners(draft, router, path));
  }
  return findings;
}

/** Those that are advertised and those that are not, each with its place. */
function addressesOf(path: ConfigPath, router: RouterDraft) {
  return (['addresses', 'excludedAddresses'] as const).flatMap((list) =>
    present(router[list]).map(([index, virtual]) => [[...path, list, index], virtual] as const),
  );
}

/** A node that has a virtual address as its own must be its owner, or two nodes answer for it. */
function checkNotOwned(
  draft: RootDraft,
  router: RouterDraft,
  path: ConfigPath,
  address: string,
): readonly Finding[] {
  for (const [name, node] of draft.nodes ?? []) {
    if (node?.address !== address || router.priority === undefined) continue;
    const priority = onNode(router.priority, name);
    if (priority === undefined || priority === ownerPriority) continue;
    return [
      errorAt(
        path,
        `${address} is the own address of node ${name}, whose priority is ${priority}`,
        `take another address, or give ${name} priority ${ownerPriority}`,
      ),
    ];
  }
  return [];
}

/** Priority 255 skips the election at start, which is right for the owner of an address only. */
function checkOwners(draft: RootDraft, router: RouterDraft, path: ConfigPath): readonly Finding[] {
  const { priority } = router;
  if (priority === undefined || router.addresses === undefined) return [];
  // The own addresses of a node are known of IPv4 only.
  if (familyOfRouterDraft(router) === 6) return [];
  const findings: Finding[] = [];
  for (const [name, node] of draft.nodes ?? []) {
    if (node?.address === undefined || onNode(priority, name) !== ownerPriority) continue;
    const owns = present(router.addresses).some(
      ([, virtual]) => virtual.address === undefined || virtual.address.address === node.address,
    );
    if (owns) continue;
    const place = priority.kind === 'each' ? [...path, 'priority', name] : [...path, 'priority'];
    findings.push(
      warningAt(
        place,
        `255 says that ${name} owns the addresses, but its own address is ${node.address}`,
        'use at most 254',
      ),
    );
  }
  return findings;
}
