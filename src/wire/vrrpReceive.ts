/**
 * Whether a received packet is an advertisement that the election may hear: the checks of RFC 9568
 * and RFC 3768 (both 7.1) with the errata of the former, cheap ones first, each with its reason.
 */
import { type IpAddress, type IpFamily, isLinkLocal, isMulticastAddress } from './ipAddress.js';
import { decodeIpPacket, type IpPacket } from './ipPacket.js';
import {
  type Advertisement,
  addressLength,
  advertisementLength,
  advertisementType,
  authenticationDataLength,
  authenticationHeaderProtocol,
  authenticationTypes,
  type ChecksumForm,
  checksumFormOf,
  checksumForms,
  decodeAdvertisement,
  passwordBytes,
  type VrrpVersion,
  vrrpGroup,
  vrrpHeader,
  vrrpProtocol,
  vrrpTimeToLive,
  vrrpVersion2Header,
} from './vrrp.js';
import {
  type HmacRejection,
  type HmacVerifier,
  hmacTrailerLength,
  type ReceiveClock,
  type VerifiedTrailer,
  verifyTrailer,
} from './vrrpAuthentication.js';
import { WireError } from './wireError.js';

/** Why a received packet was not given to the election, in the order of the checks. */
export type AdvertisementRejection =
  /** The bytes are no whole IP packet of protocol 112. */
  | 'bad-ip-header'
  /** Fewer bytes than the fixed part of a VRRP message. */
  | 'truncated'
  /** More or fewer bytes than the count of addresses needs. */
  | 'bad-length'
  /** The length tells of an authentication trailer, and none is configured here. */
  | 'hmac-unexpected'
  /** A time to live that is not allowed: the packet may come from outside the link. */
  | 'wrong-ttl'
  /** Not sent to the VRRP group, or to the group where peers send to each other. */
  | 'wrong-destination'
  /** A virtual router whose peers are listed, and the sender is none of them. */
  | 'unknown-peer'
  | 'wrong-version'
  | 'wrong-type'
  | HmacRejection
  /** Version 2: the sender uses the IPsec Authentication Header, which is not spoken here. */
  | 'authentication-header'
  /** Version 2: another authentication type than ours. */
  | 'wrong-authentication-type'
  /** Version 2: another password than ours. */
  | 'wrong-password'
  | 'bad-checksum'
  /** No virtual router with this identifier on the receiving interface. */
  | 'unknown-virtual-router'
  /** Version 2: we own the addresses, and an owner hears nobody. */
  | 'local-owner'
  /** A count of zero addresses (erratum 8299). */
  | 'no-addresses'
  /** An advertisement interval of zero (erratum 8301). */
  | 'zero-interval'
  /** Version 2: another advertisement interval than ours. */
  | 'wrong-interval'
  /** IPv6: the first address is not a link-local one (erratum 8300). */
  | 'first-address-not-link-local'
  /** Sent from our own address: looped back, or another station uses our address. */
  | 'own-packet';

/** Who may send to a virtual router that does not use the group. */
export interface UnicastExpectation {
  readonly peers: ReadonlySet<IpAddress>;
  /** Least time to live of a packet of a peer. */
  readonly minTimeToLive: (peer: IpAddress) => number;
  readonly maxTimeToLive: number;
}

/** What one virtual router accepts. */
export interface RouterExpectation {
  readonly version: VrrpVersion;
  /** Our own source address. */
  readonly ownAddress: IpAddress;
  /** Whether we own the addresses (priority 255). */
  readonly isOwner: boolean;
  /** Our own interval, which version 2 insists on. */
  readonly advertIntervalCs: number;
  /** Checksum forms of version 3 over IPv4 that are accepted; both unless given. */
  readonly checksums?: readonly ChecksumForm[];
  /** The password of simple-text authentication; version 2 only. */
  readonly password?: string;
  readonly hmac?: HmacVerifier & {
    /** Whether a message without a trailer is rejected. */
    readonly required: boolean;
  };
  /** Absent: the group is used. */
  readonly unicast?: UnicastExpectation;
}

/** What the receiving interface accepts. */
export interface ReceiveExpectation {
  /** The virtual router of an identifier, if it runs on the receiving interface. */
  readonly routerOf: (family: IpFamily, vrid: number) => RouterExpectation | undefined;
  readonly clock: ReceiveClock;
}

/** An advertisement that passed every check. */
export interface AcceptedAdvertisement {
  readonly accepted: true;
  readonly family: IpFamily;
  readonly source: IpAddress;
  /** In which form the checksum is right; it tells something for version 3 over IPv4 only. */
  readonly checksum: ChecksumForm;
  readonly advertisement: Advertisement;
  /** What the authentication trailer told; absent without one. */
  readonly verified?: VerifiedTrailer;
}

/** A packet that failed a check. */
export interface RejectedPacket {
  readonly accepted: false;
  readonly reason: AdvertisementRejection;
  readonly family?: IpFamily;
  /** Who sent it, where the IP header could be read. */
  readonly source?: IpAddress;
  /** Which virtual router it names, where the VRRP header could be read. */
  readonly vrid?: number;
}

/** The outcome of the checks. */
export type ReceivedAdvertisement = AcceptedAdvertisement | RejectedPacket;

/** What the checks look at. */
interface Candidate {
  readonly ip: IpPacket;
  readonly header: ReturnType<typeof vrrpHeader.decode>;
  /** The message without what is behind it. */
  readonly message: Uint8Array;
  /** What is behind the message: an authentication trailer, or nothing. */
  readonly trailer: Uint8Array;
  /** The virtual router that is named, if it is one of ours. */
  readonly router: RouterExpectation | undefined;
}

/** Judges one packet, IP header first. Never throws, whatever the bytes are. */
export function receiveAdvertisement(
  packet: Uint8Array,
  expectation: ReceiveExpectation,
): ReceivedAdvertisement {
  const ip = readIpPacket(packet);
  if (ip?.protocol === authenticationHeaderProtocol) return behindHeader(ip, expectation);
  if (ip === undefined || ip.protocol !== vrrpProtocol) {
    return { accepted: false, reason: 'bad-ip-header' };
  }
  const { source, family, payload } = ip;
  if (payload.length < vrrpHeader.byteLength) {
    return { accepted: false, reason: 'truncated', source, family };
  }
  const header = vrrpHeader.decode(payload);
  const rejected = (reason: AdvertisementRejection): RejectedPacket => ({
    accepted: false,
    reason,
    source,
    family,
    vrid: header.vrid,
  });
  const length = advertisementLength(header, family);
  const candidate: Candidate = {
    ip,
    header,
    message: payload.subarray(0, length),
    trailer: payload.subarray(length),
    router: expectation.routerOf(family, header.vrid),
  };
  const unfit = checkLength(candidate, length) ?? checkPath(candidate) ?? checkKind(candidate);
  if (unfit !== undefined) return rejected(unfit);
  const verified = checkTrailer(candidate, expectation.clock);
  if (typeof verified === 'string') return rejected(verified);
  const unproven = checkPassword(candidate);
  if (unproven !== undefined) return rejected(unproven);
  const checksum = checksumFormOf(coveredByChecksum(candidate), ip, acceptedForms(candidate));
  if (checksum === undefined) return rejected('bad-checksum');
  const unwanted = checkContent(candidate);
  if (unwanted !== undefined) return rejected(unwanted);
  return {
    accepted: true,
    family,
    source,
    checksum,
    advertisement: decodeAdvertisement(candidate.message, family),
    ...(verified === undefined ? {} : { verified }),
  };
}

/**
 * An advertisement behind an Authentication Header: a packet of another protocol, which would pass
 * unseen, so that two Actives did not know of each other. Nothing of it is believed.
 */
function behindHeader(ip: IpPacket, { routerOf }: ReceiveExpectation): RejectedPacket {
  const { source, family, payload } = ip;
  const [nextHeader, words] = payload;
  if (nextHeader !== vrrpProtocol || words === undefined) {
    return { accepted: false, reason: 'bad-ip-header' };
  }
  // The length is in words of 32 bits, less two (RFC 4302, 2.2).
  const message = payload.subarray((words + 2) * 4);
  if (message.length < vrrpHeader.byteLength) {
    return { accepted: false, reason: 'truncated', source, family };
  }
  const { vrid } = vrrpHeader.decode(message);
  const isOurs = routerOf(family, vrid) !== undefined;
  const reason = isOurs ? 'authentication-header' : 'unknown-virtual-router';
  return { accepted: false, reason, source, family, vrid };
}

/** Exact, because RFC 9568 and 3768 leave no room for anything else; the trailer is our own. */
function checkLength(
  { message, trailer, router }: Candidate,
  length: number,
): AdvertisementRejection | undefined {
  if (message.length !== length) return 'bad-length';
  if (trailer.length === 0) return undefined;
  if (trailer.length !== hmacTrailerLength) return 'bad-length';
  return router !== undefined && router.hmac === undefined ? 'hmac-unexpected' : undefined;
}

/** How the packet came here: time to live, destination, and who may send at all. */
function checkPath({ ip, router }: Candidate): AdvertisementRejection | undefined {
  const unicast = router?.unicast;
  if (unicast === undefined) {
    const isForGroup = ip.destination === vrrpGroup(ip.family);
    if ((router !== undefined || isForGroup) && ip.timeToLive !== vrrpTimeToLive) {
      return 'wrong-ttl';
    }
    return router === undefined || isForGroup ? undefined : 'wrong-destination';
  }
  const { timeToLive, source } = ip;
  if (timeToLive < unicast.minTimeToLive(source) || timeToLive > unicast.maxTimeToLive) {
    return 'wrong-ttl';
  }
  if (isMulticastAddress(ip.destination)) return 'wrong-destination';
  // Our own address is told by its own name, at the end.
  const isPeer = unicast.peers.has(source) || source === router?.ownAddress;
  return isPeer ? undefined : 'unknown-peer';
}

function checkKind({ ip, header, router }: Candidate): AdvertisementRejection | undefined {
  const { version, type } = header;
  const isKnown = version === 3 || (version === 2 && ip.family === 4);
  if (router === undefined ? !isKnown : version !== router.version) return 'wrong-version';
  return type === advertisementType ? undefined : 'wrong-type';
}

function checkTrailer(
  { ip, message, trailer, router }: Candidate,
  clock: ReceiveClock,
): VerifiedTrailer | HmacRejection | undefined {
  const hmac = router?.hmac;
  if (hmac === undefined) return undefined;
  if (trailer.length === 0) return hmac.required ? 'hmac-missing' : undefined;
  return verifyTrailer(message, trailer, ip.source, hmac, clock);
}

/** Version 2 has its authentication data behind the addresses, whatever its type. */
function checkPassword({ message, router }: Candidate): AdvertisementRejection | undefined {
  if (router?.version !== 2) return undefined;
  const { password } = router;
  const type = password === undefined ? authenticationTypes.none : authenticationTypes.simpleText;
  const { authenticationType } = vrrpVersion2Header.decode(message);
  if (authenticationType === authenticationTypes.authenticationHeader) {
    return 'authentication-header';
  }
  if (authenticationType !== type) return 'wrong-authentication-type';
  if (password === undefined) return undefined;
  const data = message.subarray(message.length - authenticationDataLength);
  return Buffer.compare(data, passwordBytes(password)) === 0 ? undefined : 'wrong-password';
}

function acceptedForms({ ip, header, router }: Candidate): readonly ChecksumForm[] {
  if (header.version === 2) return ['plain'];
  if (ip.family === 6) return ['pseudo-header'];
  return router?.checksums ?? checksumForms;
}

function coveredByChecksum({ ip, message }: Candidate): Uint8Array {
  return ip.family === 6 ? ip.payload : message;
}

function checkContent(candidate: Candidate): AdvertisementRejection | undefined {
  const { ip, header, message, router } = candidate;
  if (router === undefined) return 'unknown-virtual-router';
  const isVersion2 = router.version === 2;
  if (isVersion2 && router.isOwner) return 'local-owner';
  if (header.addressCount === 0) return 'no-addresses';
  const { advertIntervalCs, addresses } = decodeAdvertisement(message, ip.family);
  if (isVersion2 && advertIntervalCs !== router.advertIntervalCs) return 'wrong-interval';
  if (advertIntervalCs === 0) return 'zero-interval';
  const [first] = addresses;
  if (addressLength(ip.family) === 16 && (first === undefined || !isLinkLocal(first))) {
    return 'first-address-not-link-local';
  }
  return ip.source === router.ownAddress ? 'own-packet' : undefined;
}

function readIpPacket(bytes: Uint8Array): IpPacket | undefined {
  try {
    return decodeIpPacket(bytes);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
