/**
 * Neighbor discovery for IPv6 (RFC 4861): the unsolicited neighbor advertisement that tells a link
 * where a virtual address has moved, as gratuitous ARP does for IPv4, and the solicitation that
 * asks who has an address.
 */
import { encodeEthernetFrame, etherTypeIpv6 } from './ethernet.js';
import {
  type Icmpv6Path,
  icmpv6Checksum,
  icmpv6Protocol,
  requireIcmpv6Checksum,
} from './icmpv6.js';
import { type IpAddress, ipAddress, ipFromBytes } from './ipAddress.js';
import { encodeIpv6Packet, type Ipv6Packet, ipv6Bytes } from './ipv6Header.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** Every IPv6 node of the link (RFC 4291, 2.7.1). */
export const allNodesGroup = ipAddress('ff02::1');

/** Only packets that come from the link itself have it (RFC 4861, 7.1.2). */
const hopLimit = 255;

const neighborAdvertisementType = 136;
const neighborSolicitationType = 135;
const sourceLinkLayerAddressOption = 1;
const targetLinkLayerAddressOption = 2;

/** A neighbor advertisement with its one option (RFC 4861, 4.4 and 4.6.1). */
const neighborAdvertisement = packetLayout('neighbor advertisement', {
  type: bits(8),
  code: bits(8),
  checksum: bits(16),
  router: bits(1),
  solicited: bits(1),
  override: bits(1),
  reserved: bits(29),
  target: octets(16),
  optionType: bits(8),
  /** In units of 8 octets. */
  optionLength: bits(8),
  macAddress: octets(6),
});

/** What an unsolicited neighbor advertisement says. */
export interface NeighborAdvertisement {
  /** The address that is told of; it is the source of the packet as well. */
  readonly address: IpAddress;
  /** Where the address is. */
  readonly macAddress: Uint8Array;
  /** Whether the sender forwards packets (the R flag). */
  readonly router: boolean;
}

/**
 * The frame to all nodes that says "this address is at this MAC address", with the O flag, so that
 * caches are overwritten. Throws {@link WireError} for an address that is not IPv6.
 */
export function encodeUnsolicitedNeighborAdvertisement(
  advertisement: NeighborAdvertisement,
): Uint8Array<ArrayBuffer> {
  const { address, macAddress, router } = advertisement;
  const fields = {
    type: neighborAdvertisementType,
    code: 0,
    checksum: 0,
    router: router ? 1 : 0,
    solicited: 0,
    override: 1,
    reserved: 0,
    target: ipv6Bytes(address),
    optionType: targetLinkLayerAddressOption,
    optionLength: 1,
    macAddress,
  };
  const path = { source: address, destination: allNodesGroup };
  const checksum = icmpv6Checksum(neighborAdvertisement.encode(fields), path);
  return framed(path, macAddress, neighborAdvertisement.encode({ ...fields, checksum }));
}

/**
 * Reads an unsolicited neighbor advertisement with a target link-layer address. Throws
 * {@link WireError} for anything else, a wrong checksum included.
 */
export function decodeUnsolicitedNeighborAdvertisement(packet: Ipv6Packet): NeighborAdvertisement {
  const { solicited, ...advertisement } = decodeNeighborAdvertisement(packet);
  if (!solicited) return advertisement;
  throw new WireError('bad-value', 'not an unsolicited neighbor advertisement');
}

/**
 * Reads a neighbor advertisement with a target link-layer address, asked for or not. Throws
 * {@link WireError} for anything else, a wrong checksum included.
 */
export function decodeNeighborAdvertisement(
  packet: Ipv6Packet,
): NeighborAdvertisement & { readonly solicited: boolean } {
  const { payload } = packet;
  if (packet.nextHeader !== icmpv6Protocol || packet.hopLimit !== hopLimit) {
    throw new WireError('bad-value', 'neighbor advertisement: not ICMPv6 with hop limit 255');
  }
  const fields = neighborAdvertisement.decode(payload);
  if (
    fields.type !== neighborAdvertisementType ||
    fields.optionType !== targetLinkLayerAddressOption
  ) {
    throw new WireError('bad-value', 'not a neighbor advertisement with an address of the link');
  }
  requireIcmpv6Checksum(payload, packet);
  return {
    address: ipFromBytes(fields.target),
    macAddress: fields.macAddress,
    router: fields.router === 1,
    solicited: fields.solicited === 1,
  };
}

/** A neighbor solicitation with the address of the sender on the link (RFC 4861, 4.3). */
const neighborSolicitation = packetLayout('neighbor solicitation', {
  type: bits(8),
  code: bits(8),
  checksum: bits(16),
  reserved: bits(32),
  target: octets(16),
  optionType: bits(8),
  /** In units of 8 octets. */
  optionLength: bits(8),
  macAddress: octets(6),
});

/** Who asks for whom. */
export interface NeighborSolicitation {
  readonly target: IpAddress;
  /** An address of the sender on the link, which is answered to. */
  readonly sender: IpAddress;
  readonly macAddress: Uint8Array;
}

/** The frame that asks a link who has an address. Throws {@link WireError} for IPv4. */
export function encodeNeighborSolicitation(
  solicitation: NeighborSolicitation,
): Uint8Array<ArrayBuffer> {
  const { target, sender, macAddress } = solicitation;
  const targetBytes = ipv6Bytes(target);
  const path = { source: sender, destination: solicitedNodeGroup(targetBytes) };
  const fields = {
    type: neighborSolicitationType,
    code: 0,
    checksum: 0,
    reserved: 0,
    target: targetBytes,
    optionType: sourceLinkLayerAddressOption,
    optionLength: 1,
    macAddress,
  };
  const checksum = icmpv6Checksum(neighborSolicitation.encode(fields), path);
  return framed(path, macAddress, neighborSolicitation.encode({ ...fields, checksum }));
}

/** A message to a group of the link, in its frame. */
function framed(
  path: Icmpv6Path,
  macAddress: Uint8Array,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return encodeEthernetFrame({
    // 33:33 and the last four octets of the group (RFC 2464, 7).
    destination: Uint8Array.of(0x33, 0x33, ...ipv6Bytes(path.destination).subarray(12)),
    source: macAddress,
    etherType: etherTypeIpv6,
    payload: encodeIpv6Packet({
      trafficClass: 0,
      hopLimit,
      nextHeader: icmpv6Protocol,
      ...path,
      payload,
    }),
  });
}

/** ff02::1:ff and the last three octets of the address (RFC 4291, 2.7.1). */
function solicitedNodeGroup(address: Uint8Array): IpAddress {
  const group = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0);
  group.set(address.subarray(13), 13);
  return ipFromBytes(group);
}
