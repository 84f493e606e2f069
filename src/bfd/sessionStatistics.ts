/**
 * What the vrrp thread counts and remembers of each session beside its state, and the report that
 * is made of both.
 */
import type { BfdDiagnostic, BfdState } from '../wire/bfd.js';
import type { BfdRejection } from '../wire/bfdReceive.js';
import type { IpAddress } from '../wire/ipAddress.js';
import { detectionTimeUs, transmitIntervalUs } from './machineDraft.js';
import type { SessionState } from './machineModel.js';
import type { BfdSessionReport, BfdTransition } from './protocol.js';

/** Most transitions that a report tells of; older ones are forgotten. */
export const sessionHistoryMax = 32;

/** The counters of one session. */
export class SessionStatistics {
  #sinceUnixMs: number;
  readonly #transitions: BfdTransition[] = [];
  #packetsSent = 0;
  #packetsReceived = 0;
  #sendErrors = 0;
  readonly #rejected: Partial<Record<BfdRejection, number>> = {};

  constructor(startedUnixMs: number) {
    this.#sinceUnixMs = startedUnixMs;
  }

  sent(): void {
    this.#packetsSent += 1;
  }

  failedToSend(): void {
    this.#sendErrors += 1;
  }

  received(): void {
    this.#packetsReceived += 1;
  }

  rejected(reason: BfdRejection): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }

  changed(from: BfdState, to: BfdState, diagnostic: BfdDiagnostic, atUnixMs: number): void {
    this.#sinceUnixMs = atUnixMs;
    this.#transitions.push({ from, to, diagnostic, atUnixMs });
    if (this.#transitions.length > sessionHistoryMax) this.#transitions.shift();
  }

  /** The report of a session; `toUnixMs` turns monotonic microseconds into wall clock. */
  report(
    session: SessionState,
    source: IpAddress | undefined,
    toUnixMs: (us: number) => number,
  ): BfdSessionReport {
    const { spec, remote, lastHeardUs } = session;
    return {
      name: spec.name,
      peer: spec.peer,
      interface: spec.interface,
      multihop: spec.multihop,
      state: session.current,
      sinceUnixMs: this.#sinceUnixMs,
      diagnostic: session.diagnostic,
      remote: {
        state: remote.state,
        diagnostic: remote.diagnostic,
        discriminator: remote.discriminator,
        lastHeardUnixMs: lastHeardUs === undefined ? null : toUnixMs(lastHeardUs),
      },
      localDiscriminator: session.localDiscriminator,
      source: source ?? null,
      transmitIntervalUs: transmitIntervalUs(session) ?? null,
      detectionTimeUs: detectionTimeUs(session) ?? null,
      authentication: spec.authentication?.type ?? null,
      transitions: [...this.#transitions],
      counters: {
        packetsSent: this.#packetsSent,
        packetsReceived: this.#packetsReceived,
        sendErrors: this.#sendErrors,
        rejected: { ...this.#rejected },
      },
    };
  }
}
