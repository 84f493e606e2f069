/**
 * The client: sends a datagram to the virtual address every millisecond, and records with the
 * kernel's receive times what comes in at its port: answers, adverts, gratuitous ARPs.
 */
import { DgramAsPromised } from 'dgram-as-promised';
import { type CapturedAdvert, interpretFrame } from '../../src/drill/capture.js';
import { nowUs } from '../../src/kernel/monotonicClock.js';
import { openPacketSocket } from '../../src/kernel/packetSocket.js';
import { openRouteNetlink } from '../../src/kernel/routeNetlink.js';
import { etherTypeArp } from '../../src/wire/ethernet.js';
import { ipToBytes } from '../../src/wire/ipAddress.js';
import { vrid } from '../tools/directorDaemon.js';
import { virtualAddress } from '../tools/lan.js';
import { answerIn } from './answerFrame.js';
import type { Answer, RoundRecord } from './failoverModel.js';
import { enterOwnNamespace, serveLanWorker } from './lanWorker.js';
import { echoPort, type ProberReply, type ProberRequest } from './proberProtocol.js';

const probeIntervalUs = 1_000;
/** Probes that one turn sends at most when it is late; the others are left out. */
const burstMax = 4;
/** Bound of a record: more than ten minutes at a thousand a second. */
const recordedMax = 1_000_000;

/** Where the sender's address is in a frame with ARP. */
const arpSenderAt = 28;
const virtualAddressBytes = ipToBytes(virtualAddress);

enterOwnNamespace();
const netlink = openRouteNetlink();
const interfaceIndex = netlink.link('eth0')?.index;
netlink.close();
if (interfaceIndex === undefined) throw new Error('the client has no eth0');
const capture = openPacketSocket({ interfaceIndex, etherType: 'all', receive: true });
const socket = DgramAsPromised.createSocket('udp4');
await socket.bind(0, '0.0.0.0');
const probe = Buffer.alloc(8);

let record: { answers: Answer[]; frames: RoundRecord['frames'][number][] } = emptyRecord();
let sent = 0;
let latenessMaxUs = 0;
let nextDueUs = 0;
let timer: NodeJS.Timeout | undefined;

serveLanWorker<ProberRequest, ProberReply>((request) => {
  if (request.type === 'start') start();
  if (request.type === 'finish') clearTimeout(timer);
  readCapture();
  const lastAnswer = record.answers.at(-1) ?? null;
  // Of the router that has the client's address; others have their own rhythm.
  const lastAdvert =
    record.frames.findLast(
      (frame): frame is CapturedAdvert => frame.kind === 'advert' && frame.vrid === vrid,
    ) ?? null;
  const handedOver = request.type === 'finish' ? record : emptyRecord();
  return { sent, latenessMaxUs, lastAnswer, lastAdvert, record: handedOver };
});

// The application's side of the answers; their times are taken at the port.
for (;;) {
  if ((await socket.recv()) === undefined) break;
}

function emptyRecord(): typeof record {
  return { answers: [], frames: [] };
}

function start(): void {
  readCapture();
  record = emptyRecord();
  sent = 0;
  latenessMaxUs = 0;
  nextDueUs = nowUs();
  turn();
}

function turn(): void {
  const now = nowUs();
  latenessMaxUs = Math.max(latenessMaxUs, now - nextDueUs);
  for (let count = 0; nextDueUs <= now; count += 1) {
    nextDueUs += probeIntervalUs;
    if (count >= burstMax) continue;
    sent += 1;
    socket.send(probe, echoPort, virtualAddress).catch(() => {
      // Nobody answers ARP for the address at this moment: that is what is being measured.
    });
  }
  readCapture();
  timer = setTimeout(turn, Math.max(0, (nextDueUs - nowUs()) / 1_000));
}

/** A thousand addresses are announced five times, and must not keep the probes waiting. */
function isAnnouncementOfOther(frame: Uint8Array): boolean {
  const isArp = ((frame[12] ?? 0) << 8) + (frame[13] ?? 0) === etherTypeArp;
  return isArp && virtualAddressBytes.some((byte, at) => frame[arpSenderAt + at] !== byte);
}

function readCapture(): void {
  for (let frame = capture.receive(); frame !== undefined; frame = capture.receive()) {
    if (frame.outgoing || isAnnouncementOfOther(frame.bytes)) continue;
    if (record.answers.length + record.frames.length >= recordedMax) continue;
    const answer = answerIn(frame.bytes, frame.receivedAtUs);
    if (answer !== undefined) {
      record.answers.push(answer);
      continue;
    }
    const captured = interpretFrame(frame.bytes, frame.receivedAtUs);
    if (captured !== undefined) record.frames.push(captured);
  }
}
