/**
 * An advertisement as a whole Ethernet frame, for the one sender whose source is no interface's
 * own: the virtual router that sends from its virtual MAC address (RFC 9568, 7.3).
 */
import { internetChecksum } from './checksum.js';
import {
  encodeEthernetFrame,
  etherTypeIpv4,
  etherTypeIpv6,
  ipv4MulticastMacAddress,
  ipv6MulticastMacAddress,
} from './ethernet.js';
import { familyOf, type IpAddress, ipToBytes } from './ipAddress.js';
import { ipv4Layout } from './ipv4Header.js';
import { encodeIpv6Packet } from './ipv6Header.js';
import { vrrpGroup, vrrpProtocol, vrrpTimeToLive } from './vrrp.js';

/** Internetwork control, as in what the VRRP socket sends. */
const typeOfService = 0xc0;

/** Where the checksum of an IPv4 header is. */
const headerChecksumOffset = 10;

/** Writes the frame that carries a VRRP message from an address to the group of its family. */
export function encodeAdvertisementFrame(
  message: Uint8Array,
  source: IpAddress,
  macAddress: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const family = familyOf(source);
  const group = vrrpGroup(family);
  return encodeEthernetFrame({
    destination: family === 4 ? ipv4MulticastMacAddress(group) : ipv6MulticastMacAddress(group),
    source: macAddress,
    etherType: family === 4 ? etherTypeIpv4 : etherTypeIpv6,
    payload:
      family === 4
        ? encodeIpv4Packet(message, source, group)
        : encodeIpv6Packet({
            trafficClass: typeOfService,
            hopLimit: vrrpTimeToLive,
            nextHeader: vrrpProtocol,
            source,
            destination: group,
            payload: message,
          }),
  });
}

function encodeIpv4Packet(message: Uint8Array, source: IpAddress, group: IpAddress): Uint8Array {
  const header = ipv4Layout.encode({
    version: 4,
    headerWords: ipv4Layout.byteLength / 4,
    typeOfService,
    totalLength: ipv4Layout.byteLength + message.length,
    identification: 0,
    // It is never fragmented, so that no identification is needed (RFC 6864).
    flags: 0b010,
    fragmentOffset: 0,
    timeToLive: vrrpTimeToLive,
    protocol: vrrpProtocol,
    headerChecksum: 0,
    source: ipToBytes(source),
    destination: ipToBytes(group),
  });
  const checksum = internetChecksum([header]);
  new DataView(header.buffer, header.byteOffset).setUint16(headerChecksumOffset, checksum);
  return Buffer.concat([header, message]);
}
