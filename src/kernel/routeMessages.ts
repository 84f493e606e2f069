/**
 * rtnetlink messages from and to the values of routeModel.ts.
 *
 * Addresses and routes go through the codec of the `netlink` package. Links are read attribute by
 * attribute: the package's link parser also takes apart statistics and SR-IOV lists whose size
 * grows with the kernel, and one such attribute that it does not know would hide the link.
 */
import * as ifla from 'netlink/dist/rt/ifla.js';
import * as rt from 'netlink/dist/rt/structs.js';
import {
  AttrStream,
  getString,
  getU32,
  parseAttributes,
  putString,
  putU32,
} from 'netlink/dist/structs.js';
import {
  familyOf,
  formatIpPrefix,
  type IpAddress,
  type IpFamily,
  ipFromBytes,
  ipToBytes,
} from '../wire/ipAddress.js';
import {
  type AttributeTable,
  decodeAttributes,
  encodeAttributes,
} from '../wire/netlinkAttributes.js';
import { messageFlag, type NetlinkRequest } from './netlinkRequest.js';
import type {
  AddressChange,
  InterfaceAddress,
  Link,
  LinkChange,
  LocalTunnelKind,
  MacvlanMode,
  MacvlanOptions,
  RouteOptions,
} from './routeModel.js';
import { familyNumber, mainRoutingTable, routeRequest, scopeNumbers } from './routingMessages.js';
import { structLayout } from './structLayout.js';

/** struct ifaddrmsg (if_addr.h). */
const addressHeader = structLayout({
  family: 'u8',
  prefixLength: 'u8',
  flags: 'u8',
  scope: 'u8',
  interfaceIndex: 'u32',
});

/** Address attributes in use (if_addr.h). A thousand addresses come as a thousand of these. */
const addressAttributes = {
  local: { id: 2, type: 'bytes' },
  address: { id: 1, type: 'bytes' },
  label: { id: 3, type: 'string' },
  flags: { id: 8, type: 'u32' },
} as const satisfies AttributeTable;

/** Address flags in use (if_addr.h, IFA_F_*). */
const addressFlag = { secondary: 0x01, duplicate: 0x08, tentative: 0x40 } as const;

/** Link attributes in use (if_link.h). */
const linkAttribute = {
  address: 1,
  name: 3,
  mtu: 4,
  parent: 5,
  master: 10,
  information: 18,
  alias: 20,
  namespaceFd: 28,
  extendedMask: 29,
} as const;
/** Leave out statistics, which nobody here reads (RTEXT_FILTER_SKIP_STATS). */
const skipStatistics = 8;
/** The peer of a new veth (veth.h, VETH_INFO_PEER). */
const vethPeerAttribute = 1;
/** The mode of a macvlan (if_link.h, IFLA_MACVLAN_MODE), and its values. */
const macvlanModeAttribute = 1;
const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const;
/** Attributes of a GRE tunnel in use (if_tunnel.h, IFLA_GRE_*). */
const greAttributes = {
  incomingFlags: { id: 2, type: 'u16be' },
  local: { id: 6, type: 'bytes' },
} as const satisfies AttributeTable;
/** Attributes of a tunnel over IPv6 in use (if_tunnel.h, IFLA_IPTUN_*). */
const ip6TunnelAttributes = {
  local: { id: 2, type: 'bytes' },
  flags: { id: 8, type: 'u32' },
  protocol: { id: 9, type: 'u8' },
} as const satisfies AttributeTable;
/** IPv4 and IPv6 alike. */
const anyProtocol = 0;
/**
 * Packets may come from an address that this machine has as well (ip6_tunnel.h): a director sends
 * from its virtual address, which the server has on `lo`.
 */
const allowLocalRemoteFlag = 0x40;
/** Packets come with a checksum (if_tunnel.h, GRE_CSUM). */
const greChecksumFlag = 0x8000;

/** Reads RTM_NEWLINK and RTM_DELLINK; `undefined` for what is no link but a port of a bridge. */
export function readLink(data: Buffer): Link | undefined {
  const header = rt.parseLink(data.subarray(0, rt.__LENGTH_Link));
  // A bridge announces its ports as links of family AF_BRIDGE; "removed" means the port only.
  if ((header.family ?? 0) !== 0) return undefined;
  let name = '';
  let mtu = 0;
  let macAddress = new Uint8Array(0);
  let kind: string | undefined;
  let masterIndex: number | undefined;
  let parentIndex: number | undefined;
  let mode: MacvlanMode | undefined;
  let alias: string | undefined;
  parseAttributes(data.subarray(rt.__LENGTH_Link), (attribute) => {
    if (attribute.type === linkAttribute.name) name = getString(attribute.data);
    else if (attribute.type === linkAttribute.mtu) mtu = getU32(attribute.data);
    else if (attribute.type === linkAttribute.address) macAddress = Uint8Array.from(attribute.data);
    else if (attribute.type === linkAttribute.master) masterIndex = getU32(attribute.data);
    else if (attribute.type === linkAttribute.parent) parentIndex = getU32(attribute.data);
    else if (attribute.type === linkAttribute.alias) alias = getString(attribute.data);
    else if (attribute.type === linkAttribute.information) {
      const information = ifla.parseInfo(attribute.data);
      kind = information.kind;
      if (kind === 'macvlan') mode = readMacvlanMode(information.data);
    }
  });
  const flags = header.flags ?? {};
  return {
    index: header.index ?? 0,
    name,
    up: flags.up === true,
    running: flags.up === true && flags.running === true && flags.lowerUp === true,
    macAddress,
    mtu,
    ...(kind === undefined ? {} : { kind }),
    ...(masterIndex === undefined ? {} : { masterIndex }),
    ...(alias === undefined ? {} : { alias }),
    ...(mode === undefined || parentIndex === undefined ? {} : { macvlan: { parentIndex, mode } }),
  };
}

function readMacvlanMode(data: Buffer | undefined): MacvlanMode | undefined {
  let mode: MacvlanMode | undefined;
  parseAttributes(data ?? Buffer.alloc(0), (attribute) => {
    if (attribute.type !== macvlanModeAttribute) return;
    const value = getU32(attribute.data);
    for (const [name, number] of Object.entries(macvlanModes)) {
      if (number === value) mode = name as MacvlanMode;
    }
  });
  return mode;
}

/** Reads RTM_NEWADDR and RTM_DELADDR; `undefined` for other families than IPv4 and IPv6. */
export function readAddress(data: Buffer): InterfaceAddress | undefined {
  if (data.length < addressHeader.size) return undefined;
  const header = addressHeader.decode(data);
  const attributes = decodeAttributes(addressAttributes, data.subarray(addressHeader.size));
  // On a point-to-point link `address` is the far end; `local` is ours where it is present.
  const { local, address, label, flags = header.flags } = attributes;
  const bytes = local ?? address;
  if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 16)) return undefined;
  const isPeer =
    local !== undefined && address !== undefined && Buffer.compare(address, local) !== 0;
  return {
    interfaceIndex: header.interfaceIndex,
    prefix: { address: ipFromBytes(bytes), length: header.prefixLength },
    secondary: (flags & addressFlag.secondary) !== 0,
    ...((flags & (addressFlag.tentative | addressFlag.duplicate)) === 0
      ? {}
      : { tentative: true as const }),
    ...(label === undefined ? {} : { label }),
    ...(isPeer ? { peer: ipFromBytes(address) } : {}),
  };
}

/** Asks for all links. */
export function linksRequest(): NetlinkRequest {
  const payload = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.extendedMask, putU32(skipStatistics));
  });
  return { type: rt.MessageType.GETLINK, payload, name: 'RTM_GETLINK', context: 'all links' };
}

/** Asks for one link by name. */
export function linkRequest(name: string): NetlinkRequest {
  const payload = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.name, putString(name));
    attributes.push(linkAttribute.extendedMask, putU32(skipStatistics));
  });
  return { type: rt.MessageType.GETLINK, payload, name: 'RTM_GETLINK', context: name };
}

/** Asks for the addresses of a family, of one interface or (index 0) of all. */
export function addressesRequest(family: IpFamily | undefined, index: number): NetlinkRequest {
  const stream = new AttrStream();
  const data = family === undefined ? { index } : { index, family: familyNumber(family) };
  rt.formatAddressMessage({ kind: 'address', data, attrs: {} }, stream);
  const payload = Buffer.concat(stream.bufs);
  return { type: rt.MessageType.GETADDR, payload, name: 'RTM_GETADDR', context: 'addresses' };
}

/** Adds or deletes an address. */
export function addressRequest(change: AddressChange): NetlinkRequest {
  const { action, interfaceIndex, prefix, peer, label, scope } = change;
  const family = familyOf(prefix.address);
  const bytes = Buffer.from(ipToBytes(prefix.address));
  const isAdded = action === 'add';
  const flags = {
    // A virtual address is announced at once; waiting for duplicate detection would delay it.
    ...(family === 6 ? { nodad: true as const } : {}),
    ...(change.prefixRoute === false ? { noprefixroute: true as const } : {}),
  };
  const stream = new AttrStream();
  rt.formatAddressMessage(
    {
      kind: 'address',
      data: {
        family: familyNumber(family),
        prefixlen: prefix.length,
        index: interfaceIndex,
        ...(scope === undefined ? {} : { scope: scopeNumbers[scope] }),
      },
      attrs: {
        local: bytes,
        address: peer === undefined ? bytes : Buffer.from(ipToBytes(peer)),
        ...(isAdded && label !== undefined ? { label } : {}),
        ...(isAdded && Object.keys(flags).length > 0 ? { flags } : {}),
        ...(isAdded && change.routeMetric !== undefined ? { rtPriority: change.routeMetric } : {}),
      },
    },
    stream,
  );
  return {
    type: action === 'add' ? rt.MessageType.NEWADDR : rt.MessageType.DELADDR,
    flags: action === 'add' ? messageFlag.create | messageFlag.exclusive : 0,
    payload: Buffer.concat(stream.bufs),
    name: action === 'add' ? 'RTM_NEWADDR' : 'RTM_DELADDR',
    context: `${action} ${formatIpPrefix(prefix)}, interface index ${interfaceIndex}`,
  };
}

/** Creates a link of a kind; `data` is what the kind takes beyond a name. */
export function createLinkRequest(name: string, kind: string, data?: Buffer): NetlinkRequest {
  const payload = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.name, putString(name));
    const information = data === undefined ? { kind } : { kind, data };
    attributes.push(linkAttribute.information, ifla.formatInfo(information));
  });
  return {
    type: rt.MessageType.NEWLINK,
    flags: messageFlag.create | messageFlag.exclusive,
    payload,
    name: 'RTM_NEWLINK',
    context: `${kind} ${name}`,
  };
}

/** Creates a pair of connected Ethernet links. */
export function createVethRequest(
  name: string,
  peer: { readonly name: string; readonly namespaceFd: number | undefined },
): NetlinkRequest {
  const request = createLinkRequest(name, 'veth', vethPeer(peer.name, peer.namespaceFd));
  return { ...request, context: `${request.context}, ${peer.name}` };
}

/**
 * Creates a tunnel that takes packets to `local`, from anybody: GRE with a checksum, or both
 * families over IPv6.
 */
export function createLocalTunnelRequest(
  name: string,
  kind: LocalTunnelKind,
  local: IpAddress,
): NetlinkRequest {
  const ends = { local: ipToBytes(local) };
  const data =
    kind === 'ip6tnl'
      ? encodeAttributes(ip6TunnelAttributes, {
          ...ends,
          flags: allowLocalRemoteFlag,
          protocol: anyProtocol,
        })
      : encodeAttributes(greAttributes, { ...ends, incomingFlags: greChecksumFlag });
  return createLinkRequest(name, kind, Buffer.from(data));
}

/** Creates a macvlan on its parent, down, and notes its alias on it. */
export function createMacvlanRequests(options: MacvlanOptions): readonly NetlinkRequest[] {
  const { name, parentIndex, mode, macAddress, alias } = options;
  const payload = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.name, putString(name));
    attributes.push(linkAttribute.parent, putU32(parentIndex));
    attributes.push(linkAttribute.address, macAddress);
    attributes.push(linkAttribute.information, macvlanInformation(mode));
  });
  // The kernel takes an alias for a link that is there only.
  const note = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.name, putString(name));
    attributes.push(linkAttribute.alias, putString(alias));
  });
  const context = `macvlan ${name} on interface index ${parentIndex}`;
  return [
    {
      type: rt.MessageType.NEWLINK,
      flags: messageFlag.create | messageFlag.exclusive,
      payload,
      name: 'RTM_NEWLINK',
      context,
    },
    { type: rt.MessageType.SETLINK, payload: note, name: 'RTM_SETLINK', context },
  ];
}

/** Changes the mode of a macvlan. */
export function macvlanModeRequest(
  link: Pick<Link, 'index' | 'name'>,
  mode: MacvlanMode,
): NetlinkRequest {
  const payload = linkPayload({ index: link.index }, (attributes) => {
    attributes.push(linkAttribute.information, macvlanInformation(mode));
  });
  return { type: rt.MessageType.NEWLINK, payload, name: 'RTM_NEWLINK', context: link.name };
}

function macvlanInformation(mode: MacvlanMode): ReturnType<typeof ifla.formatInfo> {
  const data = new AttrStream();
  data.push(macvlanModeAttribute, putU32(macvlanModes[mode]));
  return ifla.formatInfo({ kind: 'macvlan', data: Buffer.concat(data.bufs) });
}

/** Deletes a link. */
export function deleteLinkRequest(link: Pick<Link, 'index' | 'name'>): NetlinkRequest {
  const payload = linkPayload({ index: link.index }, () => {});
  return { type: rt.MessageType.DELLINK, payload, name: 'RTM_DELLINK', context: link.name };
}

/** Changes a link; `masterIndex` 0 takes it out of its bridge or bond. */
export function setLinkRequest(
  link: Pick<Link, 'index' | 'name'>,
  change: LinkChange,
  masterIndex: number | undefined,
): NetlinkRequest {
  const { up, namespaceFd, macAddress, newName, mtu, alias } = change;
  const header =
    up === undefined
      ? { index: link.index }
      : { index: link.index, flags: up ? { up } : {}, change: { up: true as const } };
  const payload = linkPayload(header, (attributes) => {
    if (masterIndex !== undefined) attributes.push(linkAttribute.master, putU32(masterIndex));
    if (namespaceFd !== undefined) attributes.push(linkAttribute.namespaceFd, putU32(namespaceFd));
    if (macAddress !== undefined) attributes.push(linkAttribute.address, macAddress);
    if (newName !== undefined) attributes.push(linkAttribute.name, putString(newName));
    if (mtu !== undefined) attributes.push(linkAttribute.mtu, putU32(mtu));
    if (alias !== undefined) attributes.push(linkAttribute.alias, putString(alias));
  });
  return { type: rt.MessageType.SETLINK, payload, name: 'RTM_SETLINK', context: link.name };
}

/** Adds a static route to the main table. */
export function addRouteRequest(route: RouteOptions, interfaceIndex?: number): NetlinkRequest {
  const { destination, gateway } = route;
  const decides = destination === 'default' ? gateway : destination.address;
  return routeRequest('add', {
    destination,
    family: decides === undefined ? 4 : familyOf(decides),
    table: mainRoutingTable,
    protocol: rt.RouteProtocol.STATIC,
    ...(gateway === undefined ? {} : { gateway }),
    ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
  });
}

function linkPayload(header: rt.Link, fill: (attributes: AttrStream) => void): Buffer {
  const stream = new AttrStream();
  stream.emit(rt.formatLink(header));
  fill(stream);
  return Buffer.concat(stream.bufs);
}

/** The data of IFLA_INFO_DATA for a veth: its peer, as a link header with attributes. */
function vethPeer(name: string, namespaceFd: number | undefined): Buffer {
  const peer = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.name, putString(name));
    if (namespaceFd !== undefined) attributes.push(linkAttribute.namespaceFd, putU32(namespaceFd));
  });
  const stream = new AttrStream();
  stream.push(vethPeerAttribute, peer);
  return Buffer.concat(stream.bufs);
}
