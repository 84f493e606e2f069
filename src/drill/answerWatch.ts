/** Watches who answers: frames that leave a real server with the address of the service. */
import { openPacketSocket, type PacketSocket } from '../kernel/packetSocket.js';
import {
  decodeEthernetFrame,
  etherTypeIpv4,
  etherTypeIpv6,
  formatMacAddress,
} from '../wire/ethernet.js';
import { decodeIpPacket } from '../wire/ipPacket.js';
import { WireError } from '../wire/wireError.js';
import type { Lab } from './lab.js';

/** Protocol number of TCP (RFC 9293). */
const tcpProtocol = 6;

/** Offsets within a TCP header (RFC 9293, 3.1). */
const tcpHeader = { destinationPort: 2, flags: 13, length: 20 };

const tcpSynAck = 0x12;

const readIntervalMs = 20;

/**
 * Counts the connections that real servers accepted as the service itself. With address translation
 * a server answers with its own address, and the director puts that of the service in.
 */
export class AnswerWatch {
  readonly #sockets: readonly PacketSocket[];
  readonly #timer: NodeJS.Timeout;
  readonly #macAddresses: ReadonlySet<string>;
  readonly #serviceAddresses: ReadonlySet<string>;
  /** A repeated answer of one connection counts once. */
  readonly #connections = new Set<string>();
  #stopped = false;

  constructor(lab: Lab) {
    const { serverNetwork, servers, services } = lab.topology;
    this.#macAddresses = new Set(
      servers.map(({ node }) => lab.network.macAddress(node, serverNetwork)),
    );
    this.#serviceAddresses = new Set(
      services.flatMap(({ listeners }) => listeners.map(({ address }) => address)),
    );
    this.#sockets = lab.network.atNetwork(serverNetwork, (interfaceIndex) =>
      [etherTypeIpv4, etherTypeIpv6].map((etherType) =>
        openPacketSocket({ interfaceIndex, etherType, receive: true, promiscuous: true }),
      ),
    );
    this.#timer = setInterval(() => this.#read(), readIntervalMs);
  }

  /** Ends it, and says how many connections there were. Can be called again. */
  stop(): number {
    if (this.#stopped) return this.#connections.size;
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#read();
    for (const socket of this.#sockets) socket.close();
    return this.#connections.size;
  }

  #read(): void {
    for (const socket of this.#sockets) {
      for (let frame = socket.receive(); frame !== undefined; frame = socket.receive()) {
        this.#look(frame.bytes);
      }
    }
  }

  #look(bytes: Uint8Array): void {
    try {
      const frame = decodeEthernetFrame(bytes);
      if (!this.#macAddresses.has(formatMacAddress(frame.source))) return;
      const { protocol, source, destination, payload } = decodeIpPacket(frame.payload);
      if (protocol !== tcpProtocol || payload.length < tcpHeader.length) return;
      if (payload[tcpHeader.flags] !== tcpSynAck || !this.#serviceAddresses.has(source)) return;
      const view = new DataView(payload.buffer, payload.byteOffset);
      this.#connections.add(`${destination} ${view.getUint16(tcpHeader.destinationPort)}`);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
}
