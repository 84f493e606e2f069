/**
 * Whether a received packet is an advertisement that the election may hear: the checks of
 * RFC 9568, 7.1 with its errata, cheap ones first, each with its reason.
 */
import type { IpAddress } from './ipAddress.js';
import { decodeIpv4Packet, type Ipv4Packet } from './ipv4Header.js';
import {
  type Advertisement,
  advertisementType,
  type ChecksumForm,
  checksumFormOf,
  checksumForms,
  decodeAdvertisement,
  ipv4AddressLength,
  type VrrpHeader,
  vrrpGroupIpv4,
  vrrpHeader,
  vrrpProtocol,
  vrrpTimeToLive,
  vrrpVersion,
} from './vrrp.js';
import { WireError } from './wireError.js';

/** Why a received packet was not given to the election, in the order of the checks. */
export type AdvertisementRejection =
  /** The bytes are no whole IPv4 packet of protocol 112. */
  | 'bad-ip-header'
  /** Fewer bytes than the fixed part of a VRRP message. */
  | 'truncated'
  /** More or fewer bytes than the count of addresses needs. */
  | 'bad-length'
  /** A time to live other than 255: the packet may come from outside the link. */
  | 'wrong-ttl'
  /** Not sent to the VRRP group. */
  | 'wrong-destination'
  | 'wrong-version'
  | 'wrong-type'
  | 'bad-checksum'
  /** No virtual router with this identifier on the receiving interface. */
  | 'unknown-virtual-router'
  /** A count of zero addresses (erratum 8299). */
  | 'no-addresses'
  /** An advertisement interval of zero (erratum 8301). */
  | 'zero-interval'
  /** Sent from our own address: looped back, or another station uses our address. */
  | 'own-packet';

/** What the receiving interface accepts. */
export interface ReceiveExpectation {
  /** Identifiers of the virtual routers that run on the receiving interface. */
  readonly vrids: ReadonlySet<number>;
  /** Our own source address on the receiving interface. */
  readonly ownAddress: IpAddress;
  /** Checksum forms that are accepted; both unless given. */
  readonly checksums?: readonly ChecksumForm[];
}

/** The outcome of the checks. */
export type ReceivedAdvertisement =
  | {
      readonly accepted: true;
      readonly source: IpAddress;
      readonly checksum: ChecksumForm;
      readonly advertisement: Advertisement;
    }
  | {
      readonly accepted: false;
      readonly reason: AdvertisementRejection;
      /** Who sent it, where the IP header could be read. */
      readonly source?: IpAddress;
      /** Which virtual router it names, where the VRRP header could be read. */
      readonly vrid?: number;
    };

/** What the checks look at. */
interface Candidate {
  readonly ip: Ipv4Packet;
  readonly header: VrrpHeader;
  readonly checksum: ChecksumForm | undefined;
  readonly expectation: ReceiveExpectation;
}

/** The checks in their order; the first that fails names the reason. */
const checks: readonly (readonly [AdvertisementRejection, (candidate: Candidate) => boolean])[] = [
  ['bad-length', ({ ip, header }) => ip.payload.length === messageLengthOf(header)],
  ['wrong-ttl', ({ ip }) => ip.timeToLive === vrrpTimeToLive],
  ['wrong-destination', ({ ip }) => ip.destination === vrrpGroupIpv4],
  ['wrong-version', ({ header }) => header.version === vrrpVersion],
  ['wrong-type', ({ header }) => header.type === advertisementType],
  ['bad-checksum', ({ checksum }) => checksum !== undefined],
  ['unknown-virtual-router', ({ header, expectation }) => expectation.vrids.has(header.vrid)],
  ['no-addresses', ({ header }) => header.addressCount > 0],
  ['zero-interval', ({ header }) => header.maxAdvertiseIntervalCs > 0],
  ['own-packet', ({ ip, expectation }) => ip.source !== expectation.ownAddress],
];

/** Judges one packet as a raw socket delivers it, IPv4 header first. Never throws. */
export function receiveAdvertisement(
  packet: Uint8Array,
  expectation: ReceiveExpectation,
): ReceivedAdvertisement {
  const ip = readIpv4Packet(packet);
  if (ip === undefined || ip.protocol !== vrrpProtocol) {
    return { accepted: false, reason: 'bad-ip-header' };
  }
  const { source, payload: message } = ip;
  if (message.length < vrrpHeader.byteLength) {
    return { accepted: false, reason: 'truncated', source };
  }
  const header = vrrpHeader.decode(message);
  const checksum = checksumFormOf(message, ip, expectation.checksums ?? checksumForms);
  const candidate: Candidate = { ip, header, checksum, expectation };
  const failed = checks.find(([, passes]) => !passes(candidate));
  if (failed !== undefined || checksum === undefined) {
    return { accepted: false, reason: failed?.[0] ?? 'bad-checksum', source, vrid: header.vrid };
  }
  return { accepted: true, source, checksum, advertisement: decodeAdvertisement(message) };
}

/** Octets of authentication data that end every version 2 message (RFC 3768, 5.3.10). */
const version2TrailerLength = 8;

/** The length that a message says it has; versions other than 2 and 3 are judged as 3. */
function messageLengthOf(header: VrrpHeader): number {
  const trailerLength = header.version === 2 ? version2TrailerLength : 0;
  return vrrpHeader.byteLength + header.addressCount * ipv4AddressLength + trailerLength;
}

function readIpv4Packet(bytes: Uint8Array): Ipv4Packet | undefined {
  try {
    return decodeIpv4Packet(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
