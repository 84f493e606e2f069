/** The words of the failover benchmark. */
import type { CapturedFrame } from '../../src/drill/capture.js';
import type { DirectorProgram } from '../tools/directorDaemon.js';
import type { DirectorName } from '../tools/lan.js';

/** What is done to the Active. */
export const failoverFaults = [
  'link-cut',
  'polite-stop',
  'freeze',
  'crash',
  /** A file tracker takes the priority of the Active below that of the Backup. */
  'weight',
  /** As link-cut, with BFD between the directors; keepalived goes without, since it has no such. */
  'link-cut-bfd',
] as const;

/** One of {@link failoverFaults}. */
export type FailoverFault = (typeof failoverFaults)[number];

/** What all rounds of one line of the table have in common. */
export interface FailoverSetting {
  readonly fault: FailoverFault;
  readonly advertIntervalMs: number;
  /** Virtual addresses in all; the client uses the one that is listed last. */
  readonly addressCount: number;
}

/** Faults after which the Active itself says priority 0. */
export const resigningFaults: readonly FailoverFault[] = ['polite-stop'];

/** Faults after which the old Active answers on, until the new one has announced itself. */
export const overlappingFaults: readonly FailoverFault[] = ['freeze', 'weight', 'crash'];

/** One answer that the client received. */
export interface Answer {
  /** When the client's kernel had it, monotonic microseconds. */
  readonly atUs: number;
  readonly from: DirectorName;
}

/** All that the client's port has seen of a round, in the order of the times. */
export interface RoundRecord {
  readonly answers: readonly Answer[];
  readonly frames: readonly CapturedFrame[];
}

/** What a round has come to; times in microseconds. */
export interface RoundMeasurement {
  /**
   * The time between the last answer of the old Active and the first one of the new. After a
   * freeze, a crash or a lost weight the old one goes on answering, so there it is the time from
   * its last advert before the fault to the first answer of the new one.
   */
  readonly gapUs: number;
  /**
   * How much later the first answer after the gap came than the protocol lets the new Active begin:
   * Active_Down_Interval after the last advert heard, or Skew_Time after priority 0.
   */
  readonly beyondBoundUs: number;
  /** The parts of that: how late the new Active's first advert was, ... */
  readonly advertAfterBoundUs: number;
  /** ... its first gratuitous ARP after its first advert, ... */
  readonly announcementAfterAdvertUs: number;
  /** ... and the first answer after that. */
  readonly answerAfterAnnouncementUs: number;
}

/** One round that was measured. */
export interface FailoverRound extends FailoverSetting, RoundMeasurement {
  readonly program: DirectorProgram;
  readonly round: number;
  /** When the fault came, as the part of the advert interval since the last advert. */
  readonly phase: number;
  /** Probes sent, and how late the latest of them was, microseconds: the quality of the clock. */
  readonly probesSent: number;
  readonly probeLatenessMaxUs: number;
}
