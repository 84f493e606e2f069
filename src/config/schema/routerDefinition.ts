/** Keys of `nodes`, `virtualRouters` and `syncGroups`. */
import type { IpPrefix } from '../../wire/ipAddress.js';
import { listOf, type PerNode, perNode, shortOrLong } from './containerTypes.js';
import { optional, required, section, withDefault } from './definition.js';
import { mappingOf } from './mappingReader.js';
import { hostIpv4Address, interfaceName, virtualPrefix } from './networkTypes.js';
import { boolean, duration, integer, oneOf, text } from './scalarTypes.js';

/** Names that operators give to parts of the configuration. */
export const partName = text({
  description: 'name (letters, digits, `.`, `_`, `-`; at most 63)',
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
  expected: 'a name of letters, digits, dots, dashes and underscores, at most 63',
});

/** One entry of `nodes`. */
export const nodeType = mappingOf({
  address: required(hostIpv4Address, {
    doc: "The node's own address, which stays on it whatever the election says.",
  }),
  interface: required(interfaceName, {
    doc: 'The interface that has this address. Virtual routers use it unless they name another.',
  }),
});

const addressType = mappingOf({
  address: required(virtualPrefix, { doc: 'The virtual address.' }),
  interface: optional(perNode(interfaceName), {
    doc: 'Where this address goes while the router is Active.',
    meaning: "the router's interface",
  }),
});

const shortOrLongAddress = shortOrLong<
  IpPrefix,
  { readonly address: IpPrefix; readonly interface: PerNode<string> | undefined },
  {
    readonly address: IpPrefix | undefined;
    readonly interface: PerNode<string | undefined> | undefined;
  }
>(virtualPrefix, addressType, (address) => ({ address, interface: undefined }));

/** One element of `virtualRouters`. */
export const virtualRouterType = mappingOf({
  name: required(partName, {
    doc: 'Names the virtual router in logs, status and sync groups. Unique.',
  }),
  vrid: required(integer({ min: 1, max: 255 }), {
    doc:
      'Virtual router identifier, the same on every node of this router and on no other router ' +
      'of the network segment (RFC 9568, 5.2.3).',
  }),
  interface: optional(perNode(interfaceName), {
    doc: 'The interface that the election runs on.',
    meaning: "the node's interface",
  }),
  priority: required(perNode(integer({ min: 1, max: 255 })), {
    doc:
      'Who is preferred as the Active: the highest. 255 is for the node that owns the addresses ' +
      'as its own. Give each node another one.',
  }),
  advertInterval: withDefault(duration({ minMs: 10, maxMs: 40_950, stepMs: 10 }), '1s', {
    doc:
      'How often the Active advertises. A Backup takes over after about three of these without ' +
      'an advertisement. The same on every node.',
  }),
  preempt: section('Whether a node with a higher priority takes over from one that works.', {
    enabled: withDefault(boolean, true, {
      doc: 'With `false` the Active stays Active as long as it works.',
    }),
    delay: withDefault(duration({ minMs: 0, maxMs: 3_600_000, zeroMeans: 'at once' }), '0s', {
      doc: 'How long to wait before taking over from a router that works.',
    }),
  }),
  addresses: required(listOf(shortOrLongAddress, { min: 1, max: 255 }), {
    doc: 'The virtual addresses, which are on the Active only. At most 255 fit one advertisement.',
  }),
  checksum: withDefault(oneOf(['pseudo-header', 'plain']), 'pseudo-header', {
    doc:
      'Form of the checksum that is sent. `pseudo-header` is what keepalived and FRR send; ' +
      '`plain` is that of RFC 9568 for IPv4. Both are accepted.',
  }),
  announcements: section('Gratuitous ARP, which moves the addresses in the switches and caches.', {
    repeat: withDefault(integer({ min: 1, max: 100 }), 5, {
      doc: 'Announcements of each address when the router becomes Active.',
    }),
    delay: withDefault(duration({ minMs: 0, maxMs: 300_000, zeroMeans: 'no second burst' }), '5s', {
      doc: 'When the announcements are repeated after the router became Active.',
    }),
    refresh: withDefault(duration({ minMs: 0, maxMs: 3_600_000, zeroMeans: 'never' }), '60s', {
      doc: 'How often an Active router announces its addresses again.',
    }),
  }),
});

/** One element of `syncGroups`. */
export const syncGroupType = mappingOf({
  name: required(partName, { doc: 'Names the group in logs and status. Unique.' }),
  members: required(listOf(partName, { min: 1, max: 255 }), {
    doc: 'Names of virtual routers. A router is in one group at most.',
  }),
});
