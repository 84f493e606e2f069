/** Cross checks of `virtualRouters`: identity, priorities, timing; not the addresses. */
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import { onNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { familyOfRouterDraft } from './advertisements.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';

type RouterDraft = NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>;

/** All of them. */
export function checkVirtualRouters(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new FirstOwners<number>();
  for (const [index, router] of present(draft.virtualRouters)) {
    const path = ['virtualRouters', index];
    findings.push(
      ...checkPerNode(draft, [...path, 'interface'], router.interface),
      ...checkPerNode(draft, [...path, 'priority'], router.priority),
      ...checkPriorities(draft, path, router),
      ...checkPreemption(path, router),
    );
    const { name } = router;
    const earlier = name === undefined ? undefined : names.claim(name, index);
    if (earlier !== undefined) {
      findings.push(
        errorAt(
          [...path, 'name'],
          `virtualRouters[${earlier}] is called ${name} already`,
          'give each virtual router its own name',
        ),
      );
    }
  }
  return [...findings, ...checkIdentifiers(draft)];
}

/** The interface that a router runs on at a node, as far as the draft tells. */
export function routerInterface(
  draft: RootDraft,
  router: RouterDraft,
  node: string,
): string | undefined {
  if (router.interface !== undefined) return onNode(router.interface, node);
  return draft.nodes?.get(node)?.interface;
}

/** A VRID is unique on an interface (RFC 9568, 5.2.3); told once, for the first node it hits. */
function checkIdentifiers(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = new FirstOwners<string>();
  for (const [index, router] of present(draft.virtualRouters)) {
    if (router.vrid === undefined) continue;
    // The same identifier over IPv4 and IPv6 names two virtual routers.
    const family = familyOfRouterDraft(router) ?? 4;
    let told = false;
    for (const node of draft.nodes?.keys() ?? []) {
      const interfaceName = routerInterface(draft, router, node);
      if (interfaceName === undefined) continue;
      const place = `${node} ${interfaceName} ${family} ${router.vrid}`;
      const earlier = owners.claim(place, router.name ?? `virtualRouters[${index}]`);
      if (earlier === undefined || told) continue;
      told = true;
      findings.push(
        errorAt(
          ['virtualRouters', index, 'vrid'],
          `${router.vrid} is used by virtual router ${earlier} on ${interfaceName} of ${node}`,
          'a VRID is unique on an interface',
        ),
      );
    }
  }
  return findings;
}

/** Equal priorities leave the choice to the addresses: allowed, and seldom meant. */
function checkPriorities(
  draft: RootDraft,
  path: ConfigPath,
  router: RouterDraft,
): readonly Finding[] {
  const { priority } = router;
  if (priority === undefined || draft.nodes === undefined) return [];
  const owners = new FirstOwners<string>();
  for (const node of draft.nodes.keys()) {
    const value = onNode(priority, node);
    if (value === undefined) continue;
    const earlier = owners.claim(String(value), node);
    if (earlier === undefined) continue;
    const place = priority.kind === 'each' ? [...path, 'priority', node] : [...path, 'priority'];
    return [
      warningAt(
        place,
        `${earlier} and ${node} have the same priority ${value}: the higher address wins`,
        'give each node another priority',
      ),
    ];
  }
  return [];
}

function checkPreemption(path: ConfigPath, router: RouterDraft): readonly Finding[] {
  const { enabled, delay } = router.preempt;
  if (enabled !== false || delay === undefined || delay === 0) return [];
  return [
    warningAt(
      [...path, 'preempt', 'delay'],
      'has no effect, because preempt.enabled is false',
      'remove it',
    ),
  ];
}
