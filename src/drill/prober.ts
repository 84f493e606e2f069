/** Sends a new request at a fixed interval, whatever became of those before. */
import { nowUs } from '../kernel/monotonicClock.js';
import type { LoadSettings, RequestRecord } from './loadProtocol.js';
import type { Patience } from './patience.js';
import { type PlainRequest, sendPlainRequest } from './plainRequest.js';

/** Bound of the kept records: an hour at ten a second, or 5 minutes at 1,000. */
export const recordsMax = 300_000;

/** Requests that one turn sends at most when it is late; the others are skipped and counted. */
const burstMax = 4;

/** The prober of a load. */
export class Prober {
  readonly records: RequestRecord[] = [];
  readonly answersPerServer = new Map<string, number>();
  recordsDropped = 0;
  skipped = 0;
  sent = 0;
  failed = 0;
  latenessMaxUs = 0;
  lastAnswerUs: number | null = null;
  readonly #settings: LoadSettings;
  readonly #patience: Patience;
  readonly #underWay = new Set<PlainRequest>();
  #nextDueUs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: LoadSettings, patience: Patience) {
    this.#settings = settings;
    this.#patience = patience;
  }

  /** Begins. */
  start(): void {
    this.#nextDueUs = nowUs();
    this.#turn();
  }

  /** Sends no more, and resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#underWay.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #turn(): void {
    const now = nowUs();
    const intervalUs = this.#settings.prober.intervalMs * 1_000;
    this.latenessMaxUs = Math.max(this.latenessMaxUs, now - this.#nextDueUs);
    for (let count = 0; this.#nextDueUs <= now; count += 1) {
      this.#nextDueUs += intervalUs;
      if (count >= burstMax || this.#underWay.size >= this.#settings.prober.inFlightMax) {
        this.skipped += 1;
      } else {
        this.#send();
      }
    }
    const waitMs = Math.max(0, (this.#nextDueUs - nowUs()) / 1_000);
    this.#timer = setTimeout(() => this.#turn(), waitMs);
  }

  #send(): void {
    const { listeners, sourceAddresses } = this.#settings.prober;
    const localAddress = sourceAddresses[this.sent % sourceAddresses.length];
    if (localAddress === undefined) throw new RangeError('the prober has no source address');
    this.sent += 1;
    const request = sendPlainRequest({ ...listeners[0], localAddress }, (record) => {
      this.#underWay.delete(request);
      this.#patience.forget(request);
      this.#keep(record);
    });
    this.#underWay.add(request);
    this.#patience.watch(request);
  }

  #keep(record: RequestRecord): void {
    if ('server' in record.result) {
      const { server } = record.result;
      this.answersPerServer.set(server, (this.answersPerServer.get(server) ?? 0) + 1);
      this.lastAnswerUs = record.endedUs;
    } else {
      this.failed += 1;
    }
    if (this.records.length < recordsMax) this.records.push(record);
    else this.recordsDropped += 1;
  }
}
