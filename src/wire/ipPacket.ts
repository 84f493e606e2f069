/** One packet of either IP version, as far as a receiver of VRRP looks at its header. */
import type { IpAddress, IpFamily } from './ipAddress.js';
import { decodeIpv4Packet } from './ipv4Header.js';
import { decodeIpv6Packet } from './ipv6Header.js';
import { WireError } from './wireError.js';

/** What both versions of the header tell. */
export interface IpPacket {
  readonly family: IpFamily;
  /** Time to live of IPv4, hop limit of IPv6. */
  readonly timeToLive: number;
  /** Protocol of IPv4, next header of IPv6. */
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** The bytes after the header, without link padding; a part of the bytes that were given. */
  readonly payload: Uint8Array;
}

/** Reads one packet by its version field. Throws {@link WireError} when it is not whole. */
export function decodeIpPacket(bytes: Uint8Array): IpPacket {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return { family: 4, ...decodeIpv4Packet(bytes) };
  if (version === 6) {
    const { hopLimit, nextHeader, source, destination, payload } = decodeIpv6Packet(bytes);
    return { family: 6, timeToLive: hopLimit, protocol: nextHeader, source, destination, payload };
  }
  throw new WireError('bad-value', `no IP packet: version is ${version}`);
}
