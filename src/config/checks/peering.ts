/** Cross checks of `peering`: it joins exactly two nodes, by addresses that stay where they are. */
import { errorAt, type Finding } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';

/** All of them. */
export function checkPeering(draft: RootDraft): readonly Finding[] {
  const { peering, nodes } = draft;
  if (peering === undefined) return [];
  const findings: Finding[] = [];
  if (nodes !== undefined && nodes.size !== 2) {
    const count = nodes.size === 1 ? 'there is 1 node' : `there are ${nodes.size} nodes`;
    findings.push(
      errorAt(
        ['peering'],
        `joins two nodes, and ${count}`,
        'remove it; VRRP works with any number of nodes',
      ),
    );
  }
  if (peering.addresses === undefined) return findings;
  return [
    ...findings,
    ...checkPerNode(draft, ['peering', 'addresses'], { kind: 'each', values: peering.addresses }),
    ...checkPathCounts(peering.addresses),
    ...checkAddresses(draft, peering.addresses),
  ];
}

type AddressesDraft = NonNullable<NonNullable<RootDraft['peering']>['addresses']>;

/** A path is one address of each node, so both have the same number of them. */
function checkPathCounts(addresses: AddressesDraft): readonly Finding[] {
  const [first, ...others] = addresses;
  if (first === undefined || first[1] === undefined) return [];
  const [firstName, { length }] = [first[0], first[1]];
  return others.flatMap(([name, list]): readonly Finding[] => {
    if (list === undefined || list.length === length) return [];
    const path = ['peering', 'addresses', name];
    const numbers = `${list.length}, not ${length}`;
    const message = `has another number of addresses than ${firstName}: ${numbers}`;
    return [errorAt(path, message, 'the first reaches the first, the second the second')];
  });
}

function checkAddresses(draft: RootDraft, addresses: AddressesDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = new FirstOwners<string>();
  const virtual = virtualAddresses(draft);
  for (const [name, list] of addresses) {
    for (const [index, address] of present(list)) {
      // A single address may be written without a list; its place is then the name's.
      const path = ['peering', 'addresses', name, index];
      const router = virtual.get(address);
      const earlier = owners.claim(address, name);
      if (router !== undefined) {
        findings.push(
          errorAt(
            path,
            `${address} is a virtual address of ${router}, which moves between the nodes`,
            'take an address that stays on the node',
          ),
        );
      } else if (earlier !== undefined) {
        const message = `${address} is an address of node ${earlier} already`;
        findings.push(errorAt(path, message, 'each path has two addresses of its own'));
      }
    }
  }
  return findings;
}

/** The virtual addresses, each with the name of its router, as far as the draft tells. */
function virtualAddresses(draft: RootDraft): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [index, router] of present(draft.virtualRouters)) {
    const name = router.name ?? `virtualRouters[${index}]`;
    for (const [, virtual] of present(router.addresses)) {
      if (virtual.address !== undefined) found.set(virtual.address.address, name);
    }
  }
  return found;
}
