/** Cross checks of what moves with a virtual router: options of addresses, routes, rules, MAC. */
import { familyOf, type IpAddress } from '../../wire/ipAddress.js';
import { type ConfigPath, errorAt, type Finding } from '../problem.js';
import { onNode, type PerNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';

type RouterDraft = NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>;
type RouteDraft = NonNullable<NonNullable<RouterDraft['routes']>[number]>;
type RuleDraft = NonNullable<NonNullable<RouterDraft['rules']>[number]>;

/** All of them. */
export function checkMoving(draft: RootDraft): readonly Finding[] {
  const routes = new FirstOwners<string>();
  const rules = new FirstOwners<string>();
  return present(draft.virtualRouters).flatMap(([index, router]) => {
    const path = ['virtualRouters', index];
    const owner = router.name ?? `virtualRouters[${index}]`;
    return [
      ...checkAddressOptions(draft, router, path),
      ...present(router.routes).flatMap(([at, route]) => {
        const here = [...path, 'routes', at];
        const node = checkPerNode(draft, [...here, 'interface'], route.interface);
        return [...node, ...checkRoute(route, here), ...checkOnce(routes, route, owner, here)];
      }),
      ...present(router.rules).flatMap(([at, rule]) => {
        const here = [...path, 'rules', at];
        return [...checkRule(rule, here), ...checkOnce(rules, rule, owner, here)];
      }),
      ...checkPerNode(draft, [...path, 'virtualMac', 'interface'], router.virtualMac.interface),
      ...checkVirtualMac(draft, router, path),
    ];
  });
}

function checkAddressOptions(
  draft: RootDraft,
  router: RouterDraft,
  path: ConfigPath,
): readonly Finding[] {
  return present(router.addresses).flatMap(([index, virtual]) => {
    const here = [...path, 'addresses', index];
    const findings: Finding[] = [...checkPerNode(draft, [...here, 'label'], virtual.label)];
    const address = virtual.address?.address;
    if (address === undefined) return findings;
    if (virtual.label !== undefined && familyOf(address) === 6) {
      findings.push(errorAt([...here, 'label'], 'an IPv6 address has no label', 'remove it'));
    }
    const peer = virtual.peer?.address;
    if (peer !== undefined && familyOf(peer) !== familyOf(address)) {
      findings.push(errorAt([...here, 'peer'], `${peer} is not of the family of ${address}`));
    }
    return findings;
  });
}

function checkRoute({ to, via, source, scope }: RouteDraft, path: ConfigPath): readonly Finding[] {
  const findings: Finding[] = [];
  if (to === undefined) return findings;
  const others: readonly (readonly [string, IpAddress | undefined])[] = [
    ['via', via],
    ['source', source],
  ];
  for (const [key, address] of others) {
    if (address === undefined || familyOf(address) === familyOf(to.address)) continue;
    const hint = to.length === 0 ? 'the default route of IPv6 is `::/0`' : undefined;
    findings.push(errorAt([...path, key], `${address} is not of the family of the route`, hint));
  }
  if (via !== undefined && scope !== undefined && scope !== 'global') {
    findings.push(
      errorAt([...path, 'scope'], `a route with \`via\` has scope global, got ${scope}`),
    );
  }
  return findings;
}

function checkRule({ from, to, fwmark }: RuleDraft, path: ConfigPath): readonly Finding[] {
  if (from === undefined && to === undefined && fwmark === undefined) {
    const hint = 'name `from`, `to` or `fwmark`';
    return [errorAt(path, 'would send every packet to its table', hint)];
  }
  if (from === undefined || to === undefined) return [];
  if (familyOf(from.address) === familyOf(to.address)) return [];
  return [errorAt([...path, 'to'], `${to.address} is not of the family of ${from.address}`)];
}

/** The kernel has one of a kind; two routers would take it away from each other. */
function checkOnce(
  owners: FirstOwners<string>,
  entry: RouteDraft | RuleDraft,
  owner: string,
  path: ConfigPath,
): readonly Finding[] {
  const earlier = owners.claim(JSON.stringify(identityOf(entry)), owner);
  if (earlier === undefined) return [];
  return [errorAt(path, `is in virtual router ${earlier} already`, 'remove one of the two')];
}

function identityOf(entry: RouteDraft | RuleDraft): unknown {
  if ('priority' in entry) return entry;
  const { to, table, metric } = entry;
  return { to, table, metric };
}

function checkVirtualMac(
  draft: RootDraft,
  router: RouterDraft,
  path: ConfigPath,
): readonly Finding[] {
  const { enabled, interface: name } = router.virtualMac;
  if (enabled !== true) {
    if (name === undefined) return [];
    return [
      errorAt(
        [...path, 'virtualMac', 'interface'],
        'has no effect, because virtualMac.enabled is false',
        'set `enabled: true`, or remove it',
      ),
    ];
  }
  const clash = [...(draft.nodes ?? [])].find(([node, { interface: own } = {}]) => {
    const base = router.interface === undefined ? own : onNode(router.interface, node);
    return name !== undefined && base !== undefined && valueOn(name, node) === base;
  });
  if (clash === undefined) return [];
  return [
    errorAt(
      [...path, 'virtualMac', 'interface'],
      `is the interface of the election on ${clash[0]}`,
      'the macvlan is another device, on top of that one',
    ),
  ];
}

function valueOn(value: PerNode<string | undefined>, node: string): string | undefined {
  return onNode(value, node);
}
