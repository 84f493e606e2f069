/**
 * rtnetlink messages from and to the values of routeModel.ts.
 *
 * Addresses and routes go through the codec of the `netlink` package. Links are read attribute by
 * attribute: the package's link parser also takes apart statistics and SR-IOV lists whose size
 * grows with the kernel, and one such attribute that it does not know would hide the link.
 */
import {
  AttrStream,
  getString,
  getU32,
  ifla,
  parseAttributes,
  putString,
  putU32,
  rt,
} from 'netlink';
import {
  bitsOf,
  familyOf,
  formatIpPrefix,
  type IpFamily,
  ipFromBytes,
  ipToBytes,
} from '../wire/ipAddress.js';
import { messageFlag, type NetlinkRequest } from './netlinkRequest.js';
import type {
  AddressChange,
  InterfaceAddress,
  Link,
  LinkChange,
  RouteOptions,
} from './routeModel.js';
import { addressFamily } from './socketOptions.js';

/** Link attributes in use (if_link.h). */
const linkAttribute = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  information: 18,
  namespaceFd: 28,
  extendedMask: 29,
} as const;
/** Leave out statistics, which nobody here reads (RTEXT_FILTER_SKIP_STATS). */
const skipStatistics = 8;
/** The peer of a new veth (veth.h, VETH_INFO_PEER). */
const vethPeerAttribute = 1;
const mainRoutingTable = 254;

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
  parseAttributes(data.subarray(rt.__LENGTH_Link), (attribute) => {
    if (attribute.type === linkAttribute.name) name = getString(attribute.data);
    else if (attribute.type === linkAttribute.mtu) mtu = getU32(attribute.data);
    else if (attribute.type === linkAttribute.address) macAddress = Uint8Array.from(attribute.data);
    else if (attribute.type === linkAttribute.master) masterIndex = getU32(attribute.data);
    else if (attribute.type === linkAttribute.information)
      kind = ifla.parseInfo(attribute.data).kind;
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
  };
}

/** Reads RTM_NEWADDR and RTM_DELADDR; `undefined` for other families than IPv4 and IPv6. */
export function readAddress(data: Buffer): InterfaceAddress | undefined {
  const { data: header, attrs } = rt.parseAddressMessage(data);
  // On a point-to-point link `address` is the far end; `local` is ours where it is present.
  const bytes = attrs.local ?? attrs.address;
  if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 16)) return undefined;
  const flags = attrs.flags ?? header.flags ?? {};
  return {
    interfaceIndex: header.index ?? 0,
    prefix: { address: ipFromBytes(bytes), length: header.prefixlen ?? 0 },
    secondary: flags.secondary === true,
    ...(attrs.label === undefined ? {} : { label: attrs.label }),
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
  const { action, interfaceIndex, prefix } = change;
  const family = familyOf(prefix.address);
  const bytes = Buffer.from(ipToBytes(prefix.address));
  const stream = new AttrStream();
  rt.formatAddressMessage(
    {
      kind: 'address',
      data: { family: familyNumber(family), prefixlen: prefix.length, index: interfaceIndex },
      attrs: {
        local: bytes,
        address: bytes,
        // A virtual address is announced at once; waiting for duplicate detection would delay it.
        ...(family === 6 && action === 'add' ? { flags: { nodad: true } } : {}),
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

/** Creates a link of a kind; a veth with its peer. */
export function createLinkRequest(
  name: string,
  kind: string,
  peer?: { readonly name: string; readonly namespaceFd: number | undefined },
): NetlinkRequest {
  const payload = linkPayload({}, (attributes) => {
    attributes.push(linkAttribute.name, putString(name));
    const data = peer === undefined ? {} : { data: vethPeer(peer.name, peer.namespaceFd) };
    attributes.push(linkAttribute.information, ifla.formatInfo({ kind, ...data }));
  });
  return {
    type: rt.MessageType.NEWLINK,
    flags: messageFlag.create | messageFlag.exclusive,
    payload,
    name: 'RTM_NEWLINK',
    context: peer === undefined ? `${kind} ${name}` : `${kind} ${name}, ${peer.name}`,
  };
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
  const { up, namespaceFd, macAddress, newName, mtu } = change;
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
  });
  return { type: rt.MessageType.SETLINK, payload, name: 'RTM_SETLINK', context: link.name };
}

/** Adds a static route to the main table. */
export function addRouteRequest(route: RouteOptions, interfaceIndex?: number): NetlinkRequest {
  const { destination, gateway } = route;
  const prefix = destination === 'default' ? undefined : destination;
  const decides = prefix?.address ?? gateway;
  const family = decides === undefined ? 4 : familyOf(decides);
  const stream = new AttrStream();
  rt.formatRouteMessage(
    {
      kind: 'route',
      data: {
        family: familyNumber(family),
        dstLen: prefix?.length ?? 0,
        table: mainRoutingTable,
        protocol: 'STATIC',
        scope: gateway === undefined && family === 4 ? 'LINK' : 'UNIVERSE',
        type: 'UNICAST',
      },
      attrs: {
        ...(prefix === undefined ? {} : { dst: Buffer.from(ipToBytes(prefix.address)) }),
        ...(gateway === undefined ? {} : { gateway: Buffer.from(ipToBytes(gateway)) }),
        ...(interfaceIndex === undefined ? {} : { oif: interfaceIndex }),
      },
    },
    stream,
  );
  const target = prefix === undefined ? 'default' : formatIpPrefix(prefix);
  return {
    type: rt.MessageType.NEWROUTE,
    flags: messageFlag.create | messageFlag.exclusive,
    payload: Buffer.concat(stream.bufs),
    name: 'RTM_NEWROUTE',
    context: [target, gateway && `via ${gateway}`, route.interface && `dev ${route.interface}`]
      .filter((part) => part !== undefined)
      .join(' '),
  };
}

function familyNumber(family: IpFamily): number {
  return bitsOf(family) === 32 ? addressFamily.inet : addressFamily.inet6;
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
