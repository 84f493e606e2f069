/** Keys of `nodes`, `virtualRouters` and `syncGroups`. */
import type { IpPrefix } from '../../wire/ipAddress.js';
import { addressOptions, movingKeys, noAddressOptions } from './addressDefinition.js';
import { advertisementKeys } from './advertisementDefinition.js';
import { listOf, perNode, shortOrLong } from './containerTypes.js';
import {
  Complaint,
  type CompleteOf,
  type DraftOf,
  optional,
  required,
  scalarType,
  section,
  withDefault,
} from './definition.js';
import { mappingOf } from './mappingReader.js';
import { hostIpv4Address, interfaceName, virtualPrefix } from './networkTypes.js';
import { presetType } from './presetType.js';
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

/** What a tracker weighs. */
export const trackerWeight = integer({
  min: -253,
  max: 253,
  note: '0: the router does not run while it fails',
});

const referenceType = mappingOf({
  tracker: required(partName, { doc: 'Name of one of `trackers`.' }),
  weight: optional(trackerWeight, {
    doc: 'What the tracker weighs here.',
    meaning: "the tracker's own weight",
  }),
});

const trackType = listOf(
  shortOrLong<
    string,
    { readonly tracker: string; readonly weight: number | undefined },
    { readonly tracker: string | undefined; readonly weight: number | undefined }
  >(partName, referenceType, (tracker) => ({ tracker, weight: undefined })),
  { min: 0, max: 1024 },
);

const addressKeys = {
  address: required(virtualPrefix, { doc: 'The virtual address.' }),
  interface: optional(perNode(interfaceName), {
    doc: 'Where this address goes while the router is Active.',
    meaning: "the router's interface, or that of its `virtualMac`",
  }),
  ...addressOptions,
} as const;

const shortOrLongAddress = shortOrLong<
  IpPrefix,
  CompleteOf<typeof addressKeys>,
  DraftOf<typeof addressKeys>
>(virtualPrefix, mappingOf(addressKeys), (address) => ({
  address,
  interface: undefined,
  ...noAddressOptions,
}));

/** Most addresses of one virtual router, in each of its lists. */
const virtualAddressesMax = 4096;

const addressList = (min: 0 | 1) => listOf(shortOrLongAddress, { min, max: virtualAddressesMax });

/** Without rules of a firewall an address that is on an interface takes what is sent to it. */
const acceptModeType = scalarType('true', (raw) =>
  raw === true
    ? true
    : new Complaint(
        'must be true: Tandem sets no firewall rules that would drop packets to the addresses',
        'IPVS needs them accepted; drop what is not wanted with rules of your own',
      ),
);

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
  preset: optional(presetType, {
    doc: 'Defaults for the timers of this router.',
    meaning: 'the `preset` of the file',
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
  startupDelay: withDefault(duration({ minMs: 0, maxMs: 3_600_000, zeroMeans: 'none' }), '0s', {
    doc:
      'How long after the start of the agent this router does not become Active, whatever it ' +
      'hears or does not hear: for switches that forward late after a boot.',
  }),
  acceptMode: withDefault(acceptModeType, true, {
    doc:
      'Whether the Active takes packets to the virtual addresses itself, as IPVS needs it ' +
      '(Accept_Mode of RFC 9568). `false` is refused: it needs firewall rules.',
  }),
  addresses: required(addressList(1), {
    doc:
      'The virtual addresses, which are on the Active only, all of IPv4 or all of IPv6; of IPv6 ' +
      'the first is a link-local one. The first 255 are advertised.',
  }),
  excludedAddresses: withDefault(addressList(0), [], {
    doc: 'Addresses of either family that move with the others and are not advertised.',
  }),
  ...advertisementKeys,
  ...movingKeys,
  track: withDefault(trackType, [], {
    doc:
      'Trackers that lower the priority of this router, or keep it from running, while they ' +
      'fail. In a sync group their weights apply to every member.',
  }),
  bfd: optional(partName, {
    doc:
      'Name of the session in `bfd` with the other director. When it falls silent and its peer ' +
      'is the Active, only the skew time is waited, as if the Active had said that it leaves.',
    meaning: 'advertisements alone tell whether the Active is there',
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
  track: withDefault(trackType, [], {
    doc: 'Trackers that lower the priority of every member, or keep it from running.',
  }),
});
