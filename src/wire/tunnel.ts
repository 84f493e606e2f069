/**
 * Packets inside of packets: IP in IP (RFC 2003, 2473), GRE (RFC 2784), and Generic UDP
 * Encapsulation (draft-ietf-intarea-gue-09), as IPVS wraps them (ip_vs_xmit.c).
 */
import { internetChecksum } from './checksum.js';
import { etherTypeIpv4, etherTypeIpv6 } from './ethernet.js';
import { familyOf, type IpAddress, type IpFamily } from './ipAddress.js';
import { encodeIpv4Packet, encodeIpv4PseudoHeader } from './ipv4Header.js';
import { encodeIpv6Packet, encodeIpv6PseudoHeader } from './ipv6Header.js';
import type { TunnelEncapsulation } from './ipvsModel.js';
import { bits, packetLayout } from './packetLayout.js';

/** What follows the outer header (IANA, protocol numbers). */
export const tunnelProtocols = { ipip: 4, udp: 17, ipv6: 41, gre: 47 } as const;

/** A packet in a tunnel. */
export interface TunnelPacket {
  /** The ends of the tunnel. */
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly timeToLive: number;
  /** The whole packet inside, and its family. */
  readonly inner: Uint8Array;
  readonly innerFamily: IpFamily;
  /** Absent: IP in IP. */
  readonly encapsulation?: TunnelEncapsulation;
}

/** GRE without a key and a sequence number (RFC 2784, 2). */
const greLayout = packetLayout('GRE header', {
  checksumPresent: bits(1),
  reserved: bits(12),
  version: bits(3),
  /** As an EtherType. */
  protocol: bits(16),
});

/** What follows when the checksum is there. */
const greChecksumLayout = packetLayout('GRE checksum', { checksum: bits(16), reserved: bits(16) });

/** UDP (RFC 768) with GUE variant 0 and no extension behind it. */
const gueLayout = packetLayout('UDP and GUE header', {
  sourcePort: bits(16),
  destinationPort: bits(16),
  length: bits(16),
  checksum: bits(16),
  variant: bits(2),
  control: bits(1),
  /** Of the extensions, in 32-bit words. */
  headerWords: bits(5),
  /** An IP protocol number. */
  protocol: bits(8),
  flags: bits(16),
});

/** Any port of the dynamic range tells flows apart as well as another (RFC 6335, 6). */
const gueSourcePort = 0xc000;

/** Writes a packet in a tunnel. Throws {@link WireError} when a value does not fit. */
export function encodeTunnelPacket(packet: TunnelPacket): Uint8Array<ArrayBuffer> {
  const { source, destination, timeToLive } = packet;
  const { protocol, payload } = wrapped(packet);
  if (familyOf(destination) === 4) {
    const ends = { source, destination, timeToLive, unfragmented: false };
    return encodeIpv4Packet({ ...ends, protocol, payload });
  }
  return encodeIpv6Packet({
    trafficClass: 0,
    hopLimit: timeToLive,
    nextHeader: protocol,
    source,
    destination,
    payload,
  });
}

function wrapped(packet: TunnelPacket): {
  readonly protocol: number;
  readonly payload: Uint8Array;
} {
  const { inner, innerFamily, encapsulation } = packet;
  const innerProtocol = innerFamily === 4 ? tunnelProtocols.ipip : tunnelProtocols.ipv6;
  switch (encapsulation?.type) {
    case 'gre':
      return {
        protocol: tunnelProtocols.gre,
        payload: greOf(inner, innerFamily, encapsulation.checksum === 'full'),
      };
    case 'gue':
      return {
        protocol: tunnelProtocols.udp,
        payload: gueOf(packet, innerProtocol, encapsulation.port, encapsulation.checksum),
      };
    default:
      return { protocol: innerProtocol, payload: inner };
  }
}

function greOf(inner: Uint8Array, family: IpFamily, hasChecksum: boolean): Uint8Array {
  const header = greLayout.encode({
    checksumPresent: hasChecksum ? 1 : 0,
    reserved: 0,
    version: 0,
    protocol: family === 4 ? etherTypeIpv4 : etherTypeIpv6,
  });
  if (!hasChecksum) return joined(header, inner);
  const bare = greChecksumLayout.encode({ checksum: 0, reserved: 0 });
  const checksum = internetChecksum([header, bare, inner]);
  return joined(header, greChecksumLayout.encode({ checksum, reserved: 0 }), inner);
}

/** Remote checksum offload needs an inner checksum that is not worked out; this one always is. */
function gueOf(
  { source, destination, inner }: TunnelPacket,
  protocol: number,
  destinationPort: number,
  kind: 'none' | 'full' | 'remote',
): Uint8Array {
  const length = gueLayout.byteLength + inner.length;
  const fields = {
    sourcePort: gueSourcePort,
    destinationPort,
    length,
    variant: 0,
    control: 0,
    headerWords: 0,
    protocol,
    flags: 0,
  };
  const bare = gueLayout.encode({ ...fields, checksum: 0 });
  if (kind !== 'full') return joined(bare, inner);
  const sum = internetChecksum([pseudoHeaderOf(source, destination, length), bare, inner]);
  // 0 says that there is none (RFC 768).
  return joined(gueLayout.encode({ ...fields, checksum: sum === 0 ? 0xffff : sum }), inner);
}

function pseudoHeaderOf(source: IpAddress, destination: IpAddress, length: number): Uint8Array {
  const ends = { source, destination, messageLength: length };
  return familyOf(destination) === 6
    ? encodeIpv6PseudoHeader({ ...ends, nextHeader: tunnelProtocols.udp })
    : encodeIpv4PseudoHeader({ ...ends, protocol: tunnelProtocols.udp });
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
