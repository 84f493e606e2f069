/**
 * ARP for IPv4 over Ethernet (RFC 826), and the gratuitous form that tells a link where a virtual
 * address has moved.
 */
import { broadcastMacAddress, encodeEthernetFrame, etherTypeArp } from './ethernet.js';
import { type IpAddress, ipFromBytes, ipToBytes } from './ipAddress.js';
import { bits, octets, packetLayout } from './packetLayout.js';
import { WireError } from './wireError.js';

const arpLayout = packetLayout('ARP', {
  hardwareType: bits(16),
  protocolType: bits(16),
  hardwareLength: bits(8),
  protocolLength: bits(8),
  operation: bits(16),
  senderMacAddress: octets(6),
  senderAddress: octets(4),
  targetMacAddress: octets(6),
  targetAddress: octets(4),
});

const hardwareTypeEthernet = 1;
const protocolTypeIpv4 = 0x0800;
const operationNumbers = { request: 1, reply: 2 } as const;

/** The two operations of address resolution. */
export type ArpOperation = keyof typeof operationNumbers;

/** One ARP message of IPv4 over Ethernet. */
export interface ArpMessage {
  readonly operation: ArpOperation;
  readonly senderMacAddress: Uint8Array;
  readonly senderAddress: IpAddress;
  readonly targetMacAddress: Uint8Array;
  readonly targetAddress: IpAddress;
}

/**
 * The forms of a gratuitous ARP that are in the field. All say the same; they differ in what a
 * receiver's stack insists on.
 * - `request-broadcast`: target MAC all ones, as keepalived and arping send it.
 * - `request-sender`: target MAC is the sender's, as RFC 9568 (6.4.1, erratum 7949) has it.
 * - `reply`: for stacks that learn from replies alone.
 */
export type GratuitousArpForm = 'request-broadcast' | 'request-sender' | 'reply';

/** Writes an ARP message. Throws {@link WireError} for an address that is not IPv4. */
export function encodeArp(message: ArpMessage): Uint8Array<ArrayBuffer> {
  return arpLayout.encode({
    hardwareType: hardwareTypeEthernet,
    protocolType: protocolTypeIpv4,
    hardwareLength: 6,
    protocolLength: 4,
    operation: operationNumbers[message.operation],
    senderMacAddress: message.senderMacAddress,
    senderAddress: ipToBytes(message.senderAddress),
    targetMacAddress: message.targetMacAddress,
    targetAddress: ipToBytes(message.targetAddress),
  });
}

/** Reads an ARP message of IPv4 over Ethernet; bytes after it are padding. */
export function decodeArp(bytes: Uint8Array): ArpMessage {
  const fields = arpLayout.decode(bytes);
  if (fields.hardwareType !== hardwareTypeEthernet || fields.protocolType !== protocolTypeIpv4) {
    throw new WireError('bad-value', 'ARP: not IPv4 over Ethernet');
  }
  if (fields.hardwareLength !== 6 || fields.protocolLength !== 4) {
    throw new WireError('bad-length', 'ARP: address lengths are not 6 and 4');
  }
  if (fields.operation !== 1 && fields.operation !== 2) {
    throw new WireError('bad-value', `ARP: unknown operation ${fields.operation}`);
  }
  return {
    operation: fields.operation === 1 ? 'request' : 'reply',
    senderMacAddress: fields.senderMacAddress,
    senderAddress: ipFromBytes(fields.senderAddress),
    targetMacAddress: fields.targetMacAddress,
    targetAddress: ipFromBytes(fields.targetAddress),
  };
}

/** The broadcast frame that says "this address is at this MAC address". */
export function encodeGratuitousArp(
  address: IpAddress,
  macAddress: Uint8Array,
  form: GratuitousArpForm,
): Uint8Array<ArrayBuffer> {
  const payload = encodeArp({
    operation: form === 'reply' ? 'reply' : 'request',
    senderMacAddress: macAddress,
    senderAddress: address,
    targetMacAddress: form === 'request-broadcast' ? broadcastMacAddress : macAddress,
    targetAddress: address,
  });
  return encodeEthernetFrame({
    destination: broadcastMacAddress,
    source: macAddress,
    etherType: etherTypeArp,
    payload,
  });
}
