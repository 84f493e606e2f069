/** New connections at a wanted rate: datagrams of ever new clients to a virtual service. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { encodeSocketAddress } from '../../src/kernel/internetAddress.js';
import { checked, closeDescriptor, libc } from '../../src/kernel/systemCall.js';
import { type IpAddress, ipToBytes } from '../../src/wire/ipAddress.js';

const inet = 2;
const rawSocket = 3;
/** IPPROTO_RAW: what is sent has its own header. */
const rawProtocol = 255;

const ipHeaderBytes = 20;
const udpHeaderBytes = 8;
const firstPort = 1_024;
const portsPerClient = 60_000;

/** Sent between two looks at the clock when there is no rate. */
const burstDatagrams = 256;

/** How often it is looked how far the other kernel is, in milliseconds. */
const lookIntervalMs = 10;

/** What has not arrived when nothing has for this long needs a repair, in milliseconds. */
const tailMaxMs = 4_000;
/** The directors compare their tables every three seconds, and a part must differ twice. */
const repairMaxMs = 15_000;

/** How far behind the other director is, over the whole time, in milliseconds. */
export interface LagSummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What became of the connections that were offered. */
export interface OfferResult {
  readonly offered: number;
  /** In the kernel of the other director when no more came. */
  readonly arrived: number;
  /** Those of them that were missing when no more came, and came by a repair. */
  readonly repaired: number;
  /** From the first datagram to the last entry that arrived without a repair. */
  readonly seconds: number;
  /** From the first datagram to the last. */
  readonly offeredSeconds: number;
  readonly lagMs: LagSummary;
}

/** Sends each datagram from another client. It is in the namespace in which it was made. */
export class Flood {
  readonly #socket: number;
  readonly #target: Uint8Array;
  readonly #packet: Uint8Array;
  readonly #view: DataView;
  #sent = 0;

  constructor(address: IpAddress, port: number) {
    this.#socket = checked(libc.socket(inet, rawSocket, rawProtocol), 'socket');
    this.#target = encodeSocketAddress(address, 0);
    this.#packet = new Uint8Array(ipHeaderBytes + udpHeaderBytes);
    this.#view = new DataView(this.#packet.buffer);
    // Version and length, time to live, protocol; the kernel fills in length and checksum.
    this.#packet.set([0x45], 0);
    this.#packet.set([64, 17], 8);
    this.#packet.set(ipToBytes(address), 16);
    this.#view.setUint16(ipHeaderBytes + 2, port);
    this.#view.setUint16(ipHeaderBytes + 4, udpHeaderBytes);
  }

  send(): void {
    const client = 1 + Math.floor(this.#sent / portsPerClient);
    this.#packet.set([10, 99, client >> 8, client & 0xff], 12);
    this.#view.setUint16(ipHeaderBytes, firstPort + (this.#sent % portsPerClient));
    const packet = this.#packet;
    const target = this.#target;
    const sent = libc.sendto(this.#socket, packet, packet.length, 0, target, target.length);
    checked(sent, 'sendto');
    this.#sent += 1;
  }

  close(): void {
    closeDescriptor(this.#socket);
  }
}

/**
 * Offers so many new connections, `perSecond` or as fast as it goes, and looks all the time how
 * many are in the other kernel. What has arrived by a look has the lag of the first that has not.
 */
export async function offer(
  flood: Flood,
  count: number,
  perSecond: number | null,
  arrivedNow: () => number,
): Promise<OfferResult> {
  const sentAtMs = new Float64Array(count);
  const lags: number[] = [];
  const startMs = performance.now();
  let sent = 0;
  let arrived = 0;
  let arrivedAtMs = startMs;
  let lookedAtMs = startMs;
  const look = (): void => {
    const nowMs = performance.now();
    if (nowMs - lookedAtMs < lookIntervalMs) return;
    lookedAtMs = nowMs;
    const known = arrivedNow();
    if (known > arrived) arrivedAtMs = nowMs;
    arrived = known;
    // Only while connections come: what was lost would look like an ever growing lag.
    if (sent < count) lags.push(arrived < sent ? nowMs - (sentAtMs[arrived] ?? nowMs) : 0);
  };
  while (sent < count) {
    const due =
      perSecond === null
        ? sent + burstDatagrams
        : Math.floor(((performance.now() - startMs) / 1000) * perSecond);
    for (; sent < Math.min(due, count); sent += 1) {
      sentAtMs[sent] = performance.now();
      flood.send();
    }
    look();
    if (perSecond === null) await turn();
    else await sleep(2);
  }
  const offeredSeconds = (performance.now() - startMs) / 1000;
  arrivedAtMs = Math.max(arrivedAtMs, performance.now() - lookIntervalMs);
  while (arrived < count && performance.now() - arrivedAtMs < tailMaxMs) {
    await sleep(lookIntervalMs);
    look();
  }
  const seconds = (arrivedAtMs - startMs) / 1000;
  const inTime = arrived;
  const tailEndMs = performance.now();
  while (arrived < count && performance.now() - tailEndMs < repairMaxMs) {
    await sleep(lookIntervalMs);
    look();
  }
  return {
    offered: count,
    arrived,
    repaired: arrived - inTime,
    seconds,
    offeredSeconds,
    lagMs: summary(lags),
  };
}

/** Connections of a service's servers, as the kernel of the calling thread's namespace counts. */
export function countedConnections(servicePort: number): number {
  const wanted = `:${servicePort.toString(16).toUpperCase().padStart(4, '0')} `;
  let isWanted = false;
  let sum = 0;
  for (const line of readFileSync('/proc/thread-self/net/ip_vs', 'latin1').split('\n')) {
    if (/^(TCP|UDP)/.test(line)) isWanted = `${line} `.includes(wanted);
    const numbers = /^ {2}-> \S+\s+\S+\s+\d+\s+(\d+)\s+(\d+)/.exec(line);
    if (isWanted && numbers !== null) sum += Number(numbers[1]) + Number(numbers[2]);
  }
  return sum;
}

function summary(lags: readonly number[]): LagSummary {
  const sorted = lags.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
