/** A client with an address of its own that asks again and again, one request after the other. */
import type { IpAddress } from '../wire/ipAddress.js';
import type { LoadSettings, PersistentClientRecord, RequestRecord } from './loadProtocol.js';
import type { Patience } from './patience.js';
import { type PlainRequest, sendPlainRequest } from './plainRequest.js';
import { recordsMax } from './prober.js';

/** One of the persistent clients of a load. */
export class PersistentClient {
  /** When a request was last answered. */
  lastAnswerUs: number | null = null;
  readonly #settings: LoadSettings;
  readonly #patience: Patience;
  readonly #address: IpAddress;
  readonly #requests: RequestRecord[] = [];
  #underWay: PlainRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(settings: LoadSettings, address: IpAddress, patience: Patience) {
    this.#settings = settings;
    this.#patience = patience;
    this.#address = address;
  }

  /** Begins, after a delay that keeps the clients from asking all at once. */
  start(delayMs: number): void {
    this.#timer = setTimeout(() => this.#ask(), delayMs);
  }

  /** Asks no more; a request under way is given up and not recorded. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#underWay?.expire();
  }

  /** What it measured. */
  get record(): PersistentClientRecord {
    return { address: this.#address, requests: this.#requests };
  }

  #ask(): void {
    const { listeners, intervalMs } = this.#settings.persistent;
    const listener = listeners[this.#requests.length % listeners.length] ?? listeners[0];
    const target = { ...listener, localAddress: this.#address };
    const request = sendPlainRequest(target, (record) => {
      this.#patience.forget(request);
      if (this.#stopped) return;
      if ('server' in record.result) this.lastAnswerUs = record.endedUs;
      if (this.#requests.length < recordsMax) this.#requests.push(record);
      this.#timer = setTimeout(() => this.#ask(), intervalMs);
    });
    this.#underWay = request;
    this.#patience.watch(request);
  }
}
