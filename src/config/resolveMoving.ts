/** What moves with a virtual router, from the point of view of one node. */
import type {
  VirtualAddress,
  VirtualRoute,
  VirtualRouterSpec,
  VirtualRule,
} from '../vrrp/protocol.js';
import { virtualMacInterfaceName } from '../vrrp/virtualMac.js';
import { familyOf } from '../wire/ipAddress.js';
import { onNode } from './schema/containerTypes.js';
import type { RootComplete } from './schema/rootDefinition.js';

type RouterComplete = RootComplete['virtualRouters'][number];
type AddressComplete = RouterComplete['addresses'][number];
type Moving = Pick<VirtualRouterSpec, 'addresses' | 'routes' | 'rules' | 'virtualMac' | 'dynamic'>;

/** Addresses, routes, rules and the virtual MAC address of a router. */
export function resolveMoving(
  router: RouterComplete,
  node: string,
  routerInterface: string,
): Moving {
  const virtualMac = resolveVirtualMac(router, node, routerInterface);
  const addressInterface = virtualMac?.interface ?? routerInterface;
  const resolve = (each: AddressComplete) => resolveAddress(each, node, addressInterface);
  const excluded = router.excludedAddresses.map(resolve);
  const addresses = [
    ...router.addresses.map(resolve),
    ...excluded.map((each) => ({ ...each, advertised: false })),
  ];
  const routes = router.routes.map((each) => resolveRoute(each, node, routerInterface));
  const rules = router.rules.flatMap((each) => resolveRule(each, router));
  return {
    addresses,
    ...(routes.length === 0 ? {} : { routes }),
    ...(rules.length === 0 ? {} : { rules }),
    ...(virtualMac === undefined ? {} : { virtualMac }),
    ...(router.dynamic ? { dynamic: true } : {}),
  };
}

/** The family that a router is elected over. */
export function routerFamily(router: RouterComplete): 4 | 6 {
  const [first] = router.addresses;
  return first === undefined ? 4 : familyOf(first.address.address);
}

function resolveVirtualMac(
  router: RouterComplete,
  node: string,
  routerInterface: string,
): VirtualRouterSpec['virtualMac'] {
  const { enabled, interface: name, transmitFrom } = router.virtualMac;
  if (!enabled) return undefined;
  const given = name === undefined ? undefined : onNode(name, node);
  const otherwise = virtualMacInterfaceName(routerFamily(router), router.vrid, routerInterface);
  return { interface: given ?? otherwise, transmitFrom };
}

function resolveAddress(virtual: AddressComplete, node: string, otherwise: string): VirtualAddress {
  const { scope, peer, prefixRoute, trackInterface } = virtual;
  const label = virtual.label === undefined ? undefined : onNode(virtual.label, node);
  const given = virtual.interface === undefined ? undefined : onNode(virtual.interface, node);
  return {
    prefix: virtual.address,
    interface: given ?? otherwise,
    ...(label === undefined ? {} : { label }),
    ...(scope === undefined ? {} : { scope }),
    ...(peer === undefined ? {} : { peer }),
    ...(prefixRoute ? {} : { prefixRoute }),
    ...(trackInterface ? {} : { tracked: false }),
  };
}

function resolveRoute(
  route: RouterComplete['routes'][number],
  node: string,
  routerInterface: string,
): VirtualRoute {
  const { to, via, source, metric, table, scope } = route;
  const given = route.interface === undefined ? undefined : onNode(route.interface, node);
  const name = given ?? (via === undefined ? routerInterface : undefined);
  return {
    to,
    table,
    ...(via === undefined ? {} : { via }),
    ...(name === undefined ? {} : { interface: name }),
    ...(source === undefined ? {} : { source }),
    ...(metric === undefined ? {} : { metric }),
    ...(scope === undefined ? {} : { scope }),
  };
}

/** A rule without an address is one of the families of the router's addresses, each its own. */
function resolveRule(
  rule: RouterComplete['rules'][number],
  router: RouterComplete,
): readonly VirtualRule[] {
  const { from, to, fwmark, table, priority } = rule;
  const decides = from ?? to;
  const families =
    decides === undefined
      ? [...new Set(router.addresses.map(({ address }) => familyOf(address.address)))]
      : [familyOf(decides.address)];
  return families.map((family) => ({
    family,
    table,
    priority,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(fwmark === undefined ? {} : { fwmark }),
  }));
}
