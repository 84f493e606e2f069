/**
 * Ethernet II frames, and the MAC addresses that VRRP and ARP use.
 */
import { type IpAddress, type IpFamily, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** EtherType of ARP. */
export const etherTypeArp = 0x0806;

/** EtherType of IPv4. */
export const etherTypeIpv4 = 0x0800;

/** EtherType of IPv6. */
export const etherTypeIpv6 = 0x86dd;

/** Every station of the link. */
export const broadcastMacAddress: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** The 14 bytes before the payload. */
const ethernetHeader = packetLayout('Ethernet header', {
  destination: octets(6),
  source: octets(6),
  etherType: bits(16),
});

/** One frame, without the frame check sequence, which the hardware handles. */
export interface EthernetFrame {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

/** Writes a frame. Throws {@link WireError} when an address does not have 6 bytes. */
export function encodeEthernetFrame(frame: EthernetFrame): Uint8Array<ArrayBuffer> {
  const header = ethernetHeader.encode(frame);
  const bytes = new Uint8Array(header.length + frame.payload.length);
  bytes.set(header);
  bytes.set(frame.payload, header.length);
  return bytes;
}

/** Reads a frame; its payload still holds the padding of short frames. */
export function decodeEthernetFrame(bytes: Uint8Array): EthernetFrame {
  return { ...ethernetHeader.decode(bytes), payload: bytes.subarray(ethernetHeader.byteLength) };
}

/** The virtual MAC address of a virtual router (RFC 9568, 7.3). */
export function virtualRouterMacAddress(family: IpFamily, vrid: number): Uint8Array {
  return Uint8Array.of(0x00, 0x00, 0x5e, 0x00, family === 4 ? 0x01 : 0x02, vrid);
}

/** The MAC address of an IPv4 multicast group (RFC 1112, 6.4). */
export function ipv4MulticastMacAddress(group: IpAddress): Uint8Array {
  const [first = 0, second = 0, third = 0, fourth = 0] = ipToBytes(group);
  if (first >> 4 !== 0xe) throw new WireError('bad-value', `not an IPv4 multicast group: ${group}`);
  return Uint8Array.of(0x01, 0x00, 0x5e, second & 0x7f, third, fourth);
}

/** The MAC address of an IPv6 multicast group (RFC 2464, 7). */
export function ipv6MulticastMacAddress(group: IpAddress): Uint8Array {
  const bytes = ipToBytes(group);
  if (bytes.length !== 16 || bytes[0] !== 0xff) {
    throw new WireError('bad-value', `not an IPv6 multicast group: ${group}`);
  }
  return Uint8Array.of(0x33, 0x33, ...bytes.subarray(12));
}

/** Writes a MAC address as Linux tools do: `00:00:5e:00:01:33`. */
export function formatMacAddress(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
