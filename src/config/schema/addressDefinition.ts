/** Keys of a virtual router that say what moves with it beside the bare addresses. */
import { type IpPrefix, parseIpPrefix } from '../../wire/ipAddress.js';
import { describeValue } from '../problem.js';
import { listOf, perNode } from './containerTypes.js';
import {
  Complaint,
  type CompleteOf,
  optional,
  required,
  scalarType,
  section,
  type ValueType,
  withDefault,
} from './definition.js';
import { mappingOf } from './mappingReader.js';
import { hostAddress, interfaceName } from './networkTypes.js';
import { mainTable, markSelector, network, routeDestination, routingTable } from './routeTypes.js';
import { boolean, integer, oneOf, text } from './scalarTypes.js';

/** How far addresses and routes reach, as `ip address` and `ip route` have it. */
const scope = oneOf(['global', 'site', 'link', 'host']);

/** Labels as the kernel takes them (at most 15 bytes). */
const labelType = text({
  description: 'label of an address, at most 15 characters (`eth0:vip`)',
  pattern: /^[!-~]{1,15}$/,
  expected: 'a label of 1 to 15 characters without space',
});

const farEnd: ValueType<IpPrefix> = scalarType(
  'IP address, perhaps with the length of its network (`192.0.2.1`)',
  (raw) => {
    const prefix = typeof raw === 'string' ? parseIpPrefix(raw) : undefined;
    return prefix ?? new Complaint(`must be an IP address, got ${describeValue(raw)}`);
  },
);

/** Keys of one virtual address beside itself and its interface. */
export const addressOptions = {
  label: optional(perNode(labelType), {
    doc: 'The alias name of old that `ifconfig` shows. IPv4 only.',
    meaning: 'the name of the interface',
  }),
  scope: optional(scope, {
    doc: 'How far the address reaches. All addresses of a network on an interface have the same.',
    meaning: 'global',
  }),
  peer: optional(farEnd, {
    doc:
      'The address at the far end of a point-to-point link. Its prefix length stands for that ' +
      'of the network.',
  }),
  prefixRoute: withDefault(boolean, true, {
    doc: 'Whether the route to the network of the address comes with it.',
  }),
  trackInterface: withDefault(boolean, true, {
    doc:
      'Whether the router stops while the interface of this address is down. Means nothing on ' +
      'the interface of the election, which always counts.',
  }),
} as const;

/** The options of an address that is written as an address alone. */
export const noAddressOptions = {
  label: undefined,
  scope: undefined,
  peer: undefined,
  prefixRoute: true,
  trackInterface: true,
} as const satisfies CompleteOf<typeof addressOptions>;

const routeType = mappingOf({
  to: required(routeDestination, { doc: 'Where the route leads.' }),
  via: optional(hostAddress, { doc: 'The gateway.', meaning: 'the network is on the link' }),
  interface: optional(perNode(interfaceName), {
    doc: 'The interface to leave by.',
    meaning: 'with `via` the one that reaches the gateway, else that of the router',
  }),
  source: optional(hostAddress, {
    doc: "The source address of the node's own packets: mostly one of `addresses`.",
    meaning: "the kernel's choice",
  }),
  metric: optional(integer({ min: 0, max: 4_294_967_295 }), {
    doc: 'Of several routes to one destination the one with the smallest metric counts.',
    meaning: "the kernel's own: 0, and 1024 for IPv6",
  }),
  table: withDefault(routingTable, mainTable, { doc: 'Number of the routing table.' }),
  scope: optional(scope, {
    doc: 'How far the route reaches.',
    meaning: '`link` for IPv4 without `via`, `global` otherwise',
  }),
});

const ruleType = mappingOf({
  from: optional(network, { doc: 'Network that packets come from.', meaning: 'any' }),
  to: optional(network, { doc: 'Network that packets go to.', meaning: 'any' }),
  fwmark: optional(markSelector, { doc: 'Firewall mark of packets.', meaning: 'any' }),
  table: required(routingTable, { doc: 'Number of the routing table to look in.' }),
  priority: withDefault(integer({ min: 1, max: 32_765 }), 1000, {
    doc: 'Rules with a smaller number are looked at first.',
  }),
});

/** Most routes, and most rules, of one virtual router. */
const routingMax = 256;

/** Keys of a virtual router beside its addresses. */
export const movingKeys = {
  routes: withDefault(listOf(routeType, { min: 0, max: routingMax }), [], {
    doc: 'Routes that are there while the router is Active. They come after the addresses.',
  }),
  rules: withDefault(listOf(ruleType, { min: 0, max: routingMax }), [], {
    doc: 'Rules of policy routing that are there while the router is Active.',
  }),
  virtualMac: section(
    'A MAC address that moves with the addresses (RFC 9568, 7.3), so that hosts notice nothing.',
    {
      enabled: withDefault(boolean, false, {
        doc:
          'Whether the addresses are on a macvlan with the MAC address 00:00:5e:00:01:VRID (02 ' +
          'for IPv6), which is up on the Active only. The kernel parameters that this needs ' +
          '(`arp_ignore`, `arp_announce`) are set on the interface and put back at the end.',
      }),
      interface: optional(perNode(interfaceName), {
        doc:
          'Name of the macvlan. One that is there is adopted, and stays when the agent ends; its ' +
          'mode is set to `bridge`.',
        meaning: '`vrrp.VRID.INTERFACE`, `vrrp6.VRID.INTERFACE` for IPv6',
      }),
      transmitFrom: withDefault(oneOf(['virtual', 'base']), 'virtual', {
        doc:
          'Which MAC address the advertisements come from. With `virtual` switches learn from ' +
          'them where the addresses are. To unicast peers they come from the base always.',
      }),
    },
  ),
  dynamic: withDefault(boolean, false, {
    doc:
      'Whether interfaces of this router may be missing when the agent starts. It then waits ' +
      'for them. One that goes later is waited for in any case.',
  }),
} as const;
