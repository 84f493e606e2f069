/**
 * Whether a received datagram is a BFD control packet that a session may hear: the checks of
 * RFC 5880, 6.8.6 and RFC 5881, 5, in their order, each with its reason.
 */
import {
  type BfdControlPacket,
  type BfdHeader,
  bfdControlPacket,
  bfdHeader,
  bfdTimeToLive,
  bfdVersion,
} from './bfd.js';
import {
  type BfdKey,
  bfdSectionHeadLength,
  bfdSha1SectionLength,
  decodeBfdSectionHead,
  decodeSha1Section,
  hasDigestOf,
  isSpokenAuthentication,
  mayFollowBfdSequence,
} from './bfdAuthentication.js';

/** Why a received packet was not given to a session, in the order of the checks. */
export type BfdRejection =
  /** Fewer bytes than the mandatory section has. */
  | 'truncated'
  | 'wrong-version'
  /** The length field is too small for the sections, or larger than the datagram. */
  | 'bad-length'
  /** A detection multiplier of zero. */
  | 'zero-multiplier'
  /** The bit that is reserved for point-to-multipoint sessions is set. */
  | 'multipoint'
  /** The sender does not name its session. */
  | 'zero-discriminator'
  /** It names a session of ours that does not exist. */
  | 'unknown-discriminator'
  /** It names no session of ours, in a state in which the sender must know it. */
  | 'missing-discriminator'
  /** It comes from an address or interface, or by a port, that no session has its peer at. */
  | 'unknown-peer'
  /** Authentication is configured, and the packet has none. */
  | 'authentication-missing'
  /** The packet is authenticated, and authentication is not configured. */
  | 'authentication-unexpected'
  /** A single-hop packet with a time to live other than 255 may come from outside the link. */
  | 'wrong-ttl'
  /** Simple password, MD5 or an unknown form: not spoken here. */
  | 'authentication-not-supported'
  /** A form that is spoken, and is not the one that is configured. */
  | 'authentication-type'
  | 'authentication-length'
  /** Not the key id that is configured. */
  | 'authentication-key'
  /** A sequence number that was used already, or is too far ahead. */
  | 'authentication-sequence'
  | 'authentication-digest';

/** What a session expects of the packets that are for it. */
export interface BfdExpectation {
  /** Tells the sessions of a node apart. */
  readonly name: string;
  readonly multihop: boolean;
  /** Absent: packets must not be authenticated. */
  readonly authentication?: BfdKey;
  /** The last sequence number that was accepted; `undefined` when none is known. */
  readonly lastSequence: number | undefined;
}

/** A datagram, and what the kernel said about it. */
export interface BfdDatagram {
  /** The UDP payload. */
  readonly bytes: Uint8Array;
  /** Time to live, or hop limit. */
  readonly timeToLive: number;
}

/** How the sessions of a node are found; both give `undefined` when there is none. */
export interface BfdSessionFinder<Session extends BfdExpectation> {
  byDiscriminator(discriminator: number): Session | undefined;
  /** The session whose peer is where the datagram came from: address, port, and interface. */
  bySource(): Session | undefined;
}

/** The outcome of the checks. */
export type ReceivedBfd<Session> =
  | {
      readonly accepted: true;
      readonly session: Session;
      readonly packet: BfdControlPacket;
      /** The sequence number of an authenticated packet. */
      readonly sequence: number | undefined;
    }
  | {
      readonly accepted: false;
      readonly reason: BfdRejection;
      /** The session that it was for, where that could be told. */
      readonly session?: Session;
    };

/** Judges one datagram. Never throws. */
export function receiveBfdControl<Session extends BfdExpectation>(
  datagram: BfdDatagram,
  sessions: BfdSessionFinder<Session>,
): ReceivedBfd<Session> {
  const { bytes } = datagram;
  if (bytes.length < bfdHeader.byteLength) return { accepted: false, reason: 'truncated' };
  const header = bfdHeader.decode(bytes);
  const malformed = malformation(header, bytes.length);
  if (malformed !== undefined) return { accepted: false, reason: malformed };
  const found = findSession(header, sessions);
  if (typeof found === 'string') return { accepted: false, reason: found };
  const message = bytes.subarray(0, header.byteLength);
  const reason =
    presenceFault(header, found) ??
    (isFromLink(datagram, found) ? undefined : 'wrong-ttl') ??
    authenticationFault(message, header, found);
  if (reason !== undefined) return { accepted: false, reason, session: found };
  const sequence =
    found.authentication === undefined ? undefined : decodeSha1Section(message).sequence;
  return { accepted: true, session: found, packet: bfdControlPacket(header), sequence };
}

function malformation(header: BfdHeader, datagramLength: number): BfdRejection | undefined {
  const sectionLength = header.authenticationPresent === 1 ? bfdSectionHeadLength : 0;
  if (header.version !== bfdVersion) return 'wrong-version';
  if (header.byteLength < bfdHeader.byteLength + sectionLength) return 'bad-length';
  if (header.byteLength > datagramLength) return 'bad-length';
  if (header.detectMultiplier === 0) return 'zero-multiplier';
  if (header.multipoint === 1) return 'multipoint';
  if (header.myDiscriminator === 0) return 'zero-discriminator';
  return undefined;
}

/**
 * A discriminator alone would let any station of the link speak for the peer, so the session that
 * it names must also have its peer at the source of the datagram.
 */
function findSession<Session extends BfdExpectation>(
  header: BfdHeader,
  sessions: BfdSessionFinder<Session>,
): Session | BfdRejection {
  const bySource = sessions.bySource();
  if (header.yourDiscriminator !== 0) {
    const named = sessions.byDiscriminator(header.yourDiscriminator);
    if (named === undefined) return 'unknown-discriminator';
    return named.name === bySource?.name ? named : 'unknown-peer';
  }
  const { state } = bfdControlPacket(header);
  if (state !== 'down' && state !== 'admin-down') return 'missing-discriminator';
  return bySource ?? 'unknown-peer';
}

function presenceFault(header: BfdHeader, session: BfdExpectation): BfdRejection | undefined {
  const present = header.authenticationPresent === 1;
  if (present === (session.authentication !== undefined)) return undefined;
  return present ? 'authentication-unexpected' : 'authentication-missing';
}

/** Looked at before the digest, as RFC 5881, 5 allows: a forger from afar costs no hash. */
function isFromLink(datagram: BfdDatagram, session: BfdExpectation): boolean {
  return session.multihop || datagram.timeToLive === bfdTimeToLive;
}

/**
 * The digest is compared even when no sequence number is known yet. (The text of RFC 5880, 6.7.4
 * for SHA1 lets such a packet in before; that for MD5 does not.)
 */
function authenticationFault(
  message: Uint8Array,
  header: BfdHeader,
  session: BfdExpectation,
): BfdRejection | undefined {
  const { authentication, lastSequence } = session;
  if (authentication === undefined) return undefined;
  const { type, byteLength } = decodeBfdSectionHead(message);
  if (!isSpokenAuthentication(type)) return 'authentication-not-supported';
  if (type !== authentication.type) return 'authentication-type';
  const lengthIsRight =
    byteLength === bfdSha1SectionLength &&
    message.length === bfdHeader.byteLength + bfdSha1SectionLength;
  if (!lengthIsRight) return 'authentication-length';
  const { keyId, sequence } = decodeSha1Section(message);
  if (keyId !== authentication.keyId) return 'authentication-key';
  if (
    lastSequence !== undefined &&
    !mayFollowBfdSequence(sequence, lastSequence, header.detectMultiplier, type)
  ) {
    return 'authentication-sequence';
  }
  return hasDigestOf(message, authentication.key) ? undefined : 'authentication-digest';
}
