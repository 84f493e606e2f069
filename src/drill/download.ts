/** A long, slow download: an established connection that should survive a takeover. */
import { connect, type Socket } from 'node:net';
import { nowUs } from '../kernel/monotonicClock.js';
import { type IpAddress, ipAddress } from '../wire/ipAddress.js';
import {
  type DownloadRecord,
  downloadSlotUs,
  type LoadSettings,
  type RequestFailure,
} from './loadProtocol.js';
import { failureOf } from './plainRequest.js';
import { downloadPath, serverNameHeader } from './realServerProtocol.js';

/** Slots that one download keeps: more than an hour. */
const arrivalsMax = 40_000;

const headCharactersMax = 4096;

/** One download of a load. */
export class Download {
  readonly #settings: LoadSettings;
  readonly #address: IpAddress;
  readonly #arrivalsUs: number[] = [];
  #socket: Socket | undefined;
  #localPort = 0;
  #head = '';
  #server: string | null = null;
  #ended: DownloadRecord['ended'] = null;

  constructor(settings: LoadSettings, localAddress: IpAddress) {
    this.#settings = settings;
    this.#address = ipAddress(localAddress);
  }

  /** Connects and asks. */
  start(): void {
    const socket = connect({
      host: this.#settings.downloads.listener.address,
      port: this.#settings.downloads.listener.port,
      localAddress: this.#address,
    });
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      this.#localPort = socket.localPort ?? 0;
    });
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('error', (error) => this.#end(failureOf(error)));
    socket.on('close', () => this.#end('closed'));
    socket.write(`GET ${downloadPath} HTTP/1.1\r\nHost: lab\r\n\r\n`);
  }

  /** Closes the connection; the record keeps what was seen before. */
  stop(): void {
    const socket = this.#socket;
    socket?.removeAllListeners();
    socket?.on('error', () => {
      // Nothing is measured any more.
    });
    socket?.destroy();
  }

  /** Whether bytes have come within the last second. */
  isFlowing(): boolean {
    return (this.#arrivalsUs.at(-1) ?? 0) > nowUs() - 1_000_000 - downloadSlotUs;
  }

  /** What it measured. */
  get record(): DownloadRecord {
    return {
      localAddress: this.#address,
      localPort: this.#localPort,
      server: this.#server,
      arrivalsUs: this.#arrivalsUs,
      ended: this.#ended,
    };
  }

  #receive(text: string): void {
    if (this.#server === null && this.#head.length < headCharactersMax) {
      this.#head += text;
      const name = new RegExp(`^${serverNameHeader}: *(\\S+)\\r$`, 'im').exec(this.#head)?.[1];
      this.#server = name ?? null;
    }
    const slot = Math.floor(nowUs() / downloadSlotUs) * downloadSlotUs;
    if (this.#arrivalsUs.at(-1) !== slot && this.#arrivalsUs.length < arrivalsMax) {
      this.#arrivalsUs.push(slot);
    }
  }

  #end(reason: RequestFailure | 'closed'): void {
    this.#ended ??= { atUs: nowUs(), reason };
  }
}
