/** Which of the frames at the client's port are answers of an echo server. Pure. */
import { decodeEthernetFrame, etherTypeIpv4 } from '../../src/wire/ethernet.js';
import { decodeIpv4Packet } from '../../src/wire/ipv4Header.js';
import { directorAt, nodeAddresses } from '../tools/lan.js';
import type { Answer } from './failoverModel.js';
import { echoPort } from './proberProtocol.js';

const udpProtocol = 17;
const udpHeaderBytes = 8;

/**
 * The answer in a frame. What a director sends to the other one, BFD for example, is none: it comes
 * here as well while the bridge does not know where the other is, and so it does when that one's
 * link has been cut.
 */
export function answerIn(bytes: Uint8Array, atUs: number): Answer | undefined {
  const frame = decodeEthernetFrame(bytes);
  if (frame.etherType !== etherTypeIpv4) return undefined;
  const { source, destination, protocol, payload } = decodeIpv4Packet(frame.payload);
  const from = directorAt(source);
  if (from === undefined || destination !== nodeAddresses.client) return undefined;
  if (protocol !== udpProtocol || payload.length < udpHeaderBytes) return undefined;
  const port = new DataView(payload.buffer, payload.byteOffset).getUint16(0);
  return port === echoPort ? { atUs, from } : undefined;
}
