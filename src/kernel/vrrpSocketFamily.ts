/**
 * What differs between the raw sockets of IPv4 and IPv6 that carry VRRP: options, the control data
 * that names a source, and the IP header, which the kernel hands over for IPv4 only.
 */
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  ipFromBytes,
  ipToBytes,
} from '../wire/ipAddress.js';
import { encodeIpv6Packet } from '../wire/ipv6Header.js';
import { vrrpGroup, vrrpProtocol, vrrpTimeToLive } from '../wire/vrrp.js';
import { decodeSocketAddress } from './internetAddress.js';
import {
  internet6AddressStruct,
  multicastRequest6Struct,
  multicastRequestStruct,
  packetInfo6Struct,
  packetInfoStruct,
} from './linuxStructs.js';
import { encodeControl, receiveMessage } from './socketMessage.js';
import { type setSocketOption, socketOption } from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';

/** Internetwork control, as keepalived and other routers mark their adverts. */
const typeOfService = 0xc0;

/** A received packet before it is copied. */
export interface PendingPacket {
  /** The whole packet, IP header first. */
  readonly bytes: Uint8Array;
  /** Absent when the kernel did not say. */
  readonly interfaceIndex: number | undefined;
}

type SetOption = (
  option: Parameters<typeof setSocketOption>[1],
  value: number | Uint8Array,
) => void;

/** One family's ways. */
export interface VrrpSocketFamily {
  /** Sets everything that a new socket of the family needs but the group. */
  configure(set: SetOption, interfaceIndex: number): void;
  /** Joins the group of VRRP. */
  join(set: SetOption, interfaceIndex: number): void;
  /** Control data that makes a packet leave from an address by an interface. */
  encodeSource(source: IpAddress, interfaceIndex: number): Uint8Array;
  /** The packet that was just received into `receiveMessage`. */
  takePacket(length: number): PendingPacket;
}

const ipv4: VrrpSocketFamily = {
  configure(set, interfaceIndex) {
    set(socketOption.ipPacketInfo, 1);
    set(socketOption.ipTypeOfService, typeOfService);
    set(socketOption.ipTimeToLive, vrrpTimeToLive);
    set(socketOption.ipMulticastTimeToLive, vrrpTimeToLive);
    set(socketOption.ipMulticastLoop, 0);
    // Hear only what this socket joined, not what any other program of the machine joined.
    set(socketOption.ipMulticastAll, 0);
    set(socketOption.ipMulticastInterface, multicastRequestStruct.encode({ interfaceIndex }));
  },
  join(set, interfaceIndex) {
    const membership = { group: ipToBytes(vrrpGroup(4)), interfaceIndex };
    set(socketOption.ipAddMembership, multicastRequestStruct.encode(membership));
  },
  encodeSource(source, interfaceIndex) {
    const { level, number } = socketOption.ipPacketInfo;
    const info = { interfaceIndex, localAddress: ipToBytes(source) };
    return encodeControl(level, number, packetInfoStruct.encode(info));
  },
  takePacket(length) {
    const at = findOption(socketOption.ipPacketInfo);
    return {
      bytes: receiveMessage.data.slice(0, length),
      interfaceIndex:
        at === undefined ? undefined : readIndex(at + packetInfoStruct.offsets.interfaceIndex),
    };
  },
};

const ipv6: VrrpSocketFamily = {
  configure(set, interfaceIndex) {
    set(socketOption.ipv6ReceivePacketInfo, 1);
    set(socketOption.ipv6ReceiveHopLimit, 1);
    set(socketOption.ipv6TrafficClass, typeOfService);
    set(socketOption.ipv6UnicastHops, vrrpTimeToLive);
    set(socketOption.ipv6MulticastHops, vrrpTimeToLive);
    set(socketOption.ipv6MulticastLoop, 0);
    set(socketOption.ipv6MulticastAll, 0);
    set(socketOption.ipv6MulticastInterface, interfaceIndex);
    // The checksum is that of the message (IPV6_CHECKSUM stays off): it is computed where the
    // message is made, which also knows the authentication trailer.
  },
  join(set, interfaceIndex) {
    const membership = { group: ipToBytes(vrrpGroup(6)), interfaceIndex };
    set(socketOption.ipv6JoinGroup, multicastRequest6Struct.encode(membership));
  },
  encodeSource(source, interfaceIndex) {
    const { level, number } = socketOption.ipv6PacketInfo;
    const info = { interfaceIndex, address: ipToBytes(source) };
    return encodeControl(level, number, packetInfo6Struct.encode(info));
  },
  /** The kernel keeps the header for itself and tells what it said; a header is made of that. */
  takePacket(length) {
    const infoAt = findOption(socketOption.ipv6PacketInfo);
    const hopLimitAt = findOption(socketOption.ipv6HopLimit);
    const control = receiveMessage.controlView;
    const name = receiveMessage.name.subarray(0, internet6AddressStruct.size);
    const unknown = new Uint8Array(16);
    const destination =
      infoAt === undefined ? unknown : receiveMessage.control.slice(infoAt, infoAt + 16);
    return {
      bytes: encodeIpv6Packet({
        trafficClass: 0,
        hopLimit:
          hopLimitAt === undefined ? 0 : control.getInt32(hopLimitAt, hostIsLittleEndian) & 0xff,
        nextHeader: vrrpProtocol,
        source: decodeSocketAddress(name, 6).address,
        destination: ipFromBytes(destination),
        payload: receiveMessage.data.subarray(0, length),
      }),
      interfaceIndex:
        infoAt === undefined
          ? undefined
          : readIndex(infoAt + packetInfo6Struct.offsets.interfaceIndex),
    };
  },
};

/** The ways of the family of an address. */
export function vrrpSocketFamily(address: IpAddress): VrrpSocketFamily {
  return { 4: ipv4, 6: ipv6 }[familyOf(address) satisfies IpFamily];
}

/** Where the control data of an option starts in the packet that was just received. */
export function findOption(option: { readonly level: number; readonly number: number }) {
  return receiveMessage.findControl(option.level, option.number);
}

function readIndex(at: number): number {
  return receiveMessage.controlView.getInt32(at, hostIsLittleEndian);
}
