/**
 * The BFD control packet (RFC 5880, 4.1): bytes to values and back.
 *
 * The authentication section that may follow is in `bfdAuthentication.ts`. Whether a received
 * packet may be believed is the business of `bfdReceive.ts`.
 */
import { bits, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

/** UDP port of single-hop sessions (RFC 5881, 4). */
export const bfdSingleHopPort = 3784;

/** UDP port of multihop sessions (RFC 5883, 5). */
export const bfdMultihopPort = 4784;

/** The lowest source port that a session may send from; the range ends at 65535 (RFC 5881, 4). */
export const bfdSourcePortMin = 49_152;

/** Time to live of every packet that is sent (RFC 5881, 5). */
export const bfdTimeToLive = 255;

/** The only version of the protocol. */
export const bfdVersion = 1;

/** States of a session in the order of their codes (RFC 5880, 4.1). */
export const bfdStates = ['admin-down', 'down', 'init', 'up'] as const;

/** State of one end of a session. */
export type BfdState = (typeof bfdStates)[number];

/** Diagnostics in the order of their codes (RFC 5880, 4.1). */
export const bfdDiagnostics = [
  'none',
  /** Nothing was heard for the detection time. */
  'detection-time-expired',
  'echo-failed',
  /** The other end said that it is down. */
  'neighbour-signalled-down',
  'forwarding-plane-reset',
  /** The path is known to be broken, for example because the interface is down. */
  'path-down',
  'concatenated-path-down',
  'administratively-down',
  'reverse-concatenated-path-down',
] as const;

/** Why a session last changed its state; `reserved` is a code that no RFC has given a meaning. */
export type BfdDiagnostic = (typeof bfdDiagnostics)[number] | 'reserved';

/** The mandatory section of every packet (RFC 5880, 4.1). */
export const bfdHeader = packetLayout('BFD control packet', {
  version: bits(3),
  diagnostic: bits(5),
  state: bits(2),
  poll: bits(1),
  final: bits(1),
  controlPlaneIndependent: bits(1),
  authenticationPresent: bits(1),
  demand: bits(1),
  multipoint: bits(1),
  detectMultiplier: bits(8),
  byteLength: bits(8),
  myDiscriminator: bits(32),
  yourDiscriminator: bits(32),
  desiredMinTxUs: bits(32),
  requiredMinRxUs: bits(32),
  requiredMinEchoRxUs: bits(32),
});

/** The decoded fields of the mandatory section. */
export type BfdHeader = ReturnType<typeof bfdHeader.decode>;

/** What one control packet says. */
export interface BfdControlPacket {
  readonly diagnostic: BfdDiagnostic;
  readonly state: BfdState;
  /** The sender asks for an answer with `final`. */
  readonly poll: boolean;
  /** The answer to a `poll`. */
  readonly final: boolean;
  readonly controlPlaneIndependent: boolean;
  /** The sender wishes to hear no periodic packets while both ends are up. */
  readonly demand: boolean;
  /** How many packets of the sender may be missed, 1..255; a receiver discards 0. */
  readonly detectMultiplier: number;
  /** The sender's name of the session; a receiver discards 0. */
  readonly myDiscriminator: number;
  /** The receiver's name of the session, 0 as long as the sender does not know it. */
  readonly yourDiscriminator: number;
  /** The shortest gap between packets that the sender would like to use, in microseconds. */
  readonly desiredMinTxUs: number;
  /** The shortest gap between packets that the sender can take, in microseconds; 0: send none. */
  readonly requiredMinRxUs: number;
  /** The same for echo packets; 0: none. */
  readonly requiredMinEchoRxUs: number;
}

/**
 * Writes the mandatory section. `authenticationLength` is that of the section that will follow.
 * Throws {@link WireError} when a field does not fit, and for a reserved diagnostic.
 */
export function encodeBfdHeader(
  packet: BfdControlPacket,
  authenticationLength = 0,
): Uint8Array<ArrayBuffer> {
  const { diagnostic } = packet;
  if (diagnostic === 'reserved') {
    throw new WireError('bad-value', 'a reserved diagnostic cannot be sent');
  }
  return bfdHeader.encode({
    version: bfdVersion,
    diagnostic: bfdDiagnostics.indexOf(diagnostic),
    state: bfdStates.indexOf(packet.state),
    poll: Number(packet.poll),
    final: Number(packet.final),
    controlPlaneIndependent: Number(packet.controlPlaneIndependent),
    authenticationPresent: Number(authenticationLength > 0),
    demand: Number(packet.demand),
    multipoint: 0,
    detectMultiplier: packet.detectMultiplier,
    byteLength: bfdHeader.byteLength + authenticationLength,
    myDiscriminator: packet.myDiscriminator,
    yourDiscriminator: packet.yourDiscriminator,
    desiredMinTxUs: packet.desiredMinTxUs,
    requiredMinRxUs: packet.requiredMinRxUs,
    requiredMinEchoRxUs: packet.requiredMinEchoRxUs,
  });
}

/** What the fields of a mandatory section say, without judging them. */
export function bfdControlPacket(header: BfdHeader): BfdControlPacket {
  return {
    diagnostic: bfdDiagnostics[header.diagnostic] ?? 'reserved',
    state: bfdStates[header.state] ?? 'down',
    poll: header.poll === 1,
    final: header.final === 1,
    controlPlaneIndependent: header.controlPlaneIndependent === 1,
    demand: header.demand === 1,
    detectMultiplier: header.detectMultiplier,
    myDiscriminator: header.myDiscriminator,
    yourDiscriminator: header.yourDiscriminator,
    desiredMinTxUs: header.desiredMinTxUs,
    requiredMinRxUs: header.requiredMinRxUs,
    requiredMinEchoRxUs: header.requiredMinEchoRxUs,
  };
}

/**
 * Reads the mandatory section of a packet, without judging it.
 * Throws {@link WireError} when the bytes are short.
 */
export function decodeBfdControl(bytes: Uint8Array): BfdControlPacket {
  return bfdControlPacket(bfdHeader.decode(bytes));
}
