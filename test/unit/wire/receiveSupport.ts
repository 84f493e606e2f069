/** Routers that judge received packets, and ways to damage the packets of the vectors. */
import { internetChecksum } from '../../../src/wire/checksum.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  type ReceiveExpectation,
  type RouterExpectation,
  receiveAdvertisement,
} from '../../../src/wire/vrrpReceive.js';
import { vectorPacket } from './vectors.js';

const ipHeaderLength = { 4: 20, 6: 40 };
export const peer = ipAddress('192.0.2.1');

/** A router that hears its peer in the way of the vector that is named. */
export const multicast: RouterExpectation = {
  version: 3,
  ownAddress: ipAddress('192.0.2.2'),
  isOwner: false,
  advertIntervalCs: 100,
};
export const version2: RouterExpectation = { ...multicast, version: 2 };
export const withPassword: RouterExpectation = { ...version2, password: 's3cret' };
export const unicast: RouterExpectation = {
  ...multicast,
  unicast: { peers: new Set([peer]), minTimeToLive: () => 255, maxTimeToLive: 255 },
};
export const overIpv6: RouterExpectation = { ...multicast, ownAddress: ipAddress('fe80::2') };

const key = { id: 1, key: Uint8Array.from({ length: 32 }, (_, index) => index) };
/** The time at which the vectors with a trailer were made. */
const signedAtMs = 0x6a8f1e00 * 1000;
export const hmac = {
  keys: [key],
  antiReplay: 'time',
  windowSeconds: 5,
  marks: [],
  required: true,
} as const;
export const authenticated: RouterExpectation = { ...unicast, hmac };
export const authenticatedIpv6: RouterExpectation = { ...overIpv6, hmac };

export function expecting(
  router: RouterExpectation | undefined,
  vrids: readonly number[] = [51, 255],
  unixMs = signedAtMs,
): ReceiveExpectation {
  return {
    routerOf: (_, vrid) => (vrids.includes(vrid) ? router : undefined),
    clock: { unixMs, monotonicUs: 0 },
  };
}

/** Changes a packet; `message` is the VRRP part of the same bytes. */
export type Change = (packet: Buffer, message: Buffer) => void;

export function changed(
  name: string,
  change: Change,
  options: { fixChecksum?: boolean } = {},
): Buffer {
  const packet = Buffer.from(vectorPacket(name));
  const length = ipHeaderLength[name.startsWith('V6') ? 6 : 4];
  const message = packet.subarray(length);
  change(packet, message);
  if (options.fixChecksum === true) {
    message.writeUInt16BE(0, 6);
    message.writeUInt16BE(internetChecksum([message]), 6);
  }
  return packet;
}

/** An IPv4 packet cut or grown to a length, its IP header in agreement. */
export function resized(packet: Buffer, messageLength: number): Buffer {
  const result = Buffer.alloc(ipHeaderLength[4] + messageLength);
  packet.copy(result);
  result.writeUInt16BE(result.length, 2);
  return result;
}

export function reasonOf(
  packet: Uint8Array,
  router: RouterExpectation | undefined = multicast,
): string {
  const received = receiveAdvertisement(packet, expecting(router));
  return received.accepted ? 'accepted' : received.reason;
}
