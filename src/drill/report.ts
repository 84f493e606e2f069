/** The report of a drill, as the JSON file has it. All durations are milliseconds. */
import type { KernelKind } from './kernelChoice.js';
import type { RequestFailure } from './loadProtocol.js';
import type { DownloadOutcome, PersistentOutcome } from './measurements.js';
import type { PromiseName } from './scenario.js';

/** How a measured value must compare with its bound. */
export type Comparison = 'at-most' | 'exactly';

/** One promise of a scenario, measured. */
export interface PromiseResult {
  readonly name: PromiseName;
  /** What is promised, in words. */
  readonly says: string;
  /** null: what was to be measured never happened, and the promise does not hold. */
  readonly measured: number | null;
  readonly comparison: Comparison;
  readonly bound: number;
  /** What the numbers count: `ms`, `requests`, `clients`... */
  readonly unit: string;
  /** How the bound is made up, where it is not obvious. */
  readonly boundIs?: string;
  readonly holds: boolean;
}

/** Something that happened; the times count from the fault. */
export interface TimelineEntry {
  readonly atMs: number;
  readonly what: string;
}

/** Under which conditions was measured. */
export interface DrillConditions {
  readonly probeIntervalMs: number;
  readonly requestTimeoutMs: number;
  readonly advertIntervalMs: number;
  /** Skew_Time and Active_Down_Interval of the director that takes over (RFC 9568, 6.1). */
  readonly skewTimeMs: number;
  readonly activeDownMs: number;
  readonly checkIntervalMs: number;
  readonly checkTimeoutMs: number;
  readonly checkFall: number;
  /** What the bounds add for the machine that the lab runs on. */
  readonly allowanceMs: number;
  /** Greatest lateness of the prober: how far the client's times can be off. */
  readonly proberLatenessMaxMs: number;
  /** How long the client stood still in all, because the machine was busy elsewhere. */
  readonly clientStalledMs: number;
  /** Requests that were due and not sent, because the prober was late or at its bound. */
  readonly requestsSkipped: number;
  readonly recordsDropped: number;
  readonly framesDropped: number;
}

/** Adverts of one sender. */
export interface AdvertCount {
  readonly source: string;
  readonly vrid: number;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Gratuitous ARPs for one address, or unsolicited neighbor advertisements for one of IPv6. */
export interface AnnouncementCount {
  readonly address: string;
  readonly macAddress: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A request that failed although nothing was broken for it. Times count from the fault. */
export interface UnexpectedFailure {
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  readonly failure: RequestFailure;
}

/** All that was measured. */
export interface DrillMeasured {
  readonly clientGapMs: number;
  /** When the gap began and ended, counted from the fault. */
  readonly clientGapFromMs: number;
  readonly clientGapToMs: number;
  readonly requests: {
    readonly sent: number;
    readonly answered: number;
    readonly failed: number;
    readonly failedFor: Readonly<Partial<Record<RequestFailure, number>>>;
  };
  /** Requests that failed although nothing was broken for them, the first ones. */
  readonly unexpectedFailures: readonly UnexpectedFailure[];
  /** Answers per server, of requests sent before the fault and after it. */
  readonly answersBefore: Readonly<Record<string, number>>;
  readonly answersAfter: Readonly<Record<string, number>>;
  readonly persistentClients: readonly (PersistentOutcome & {
    /** Whether the standby had the client's template at the fault. */
    readonly synced: boolean;
    readonly expectedToStay: boolean;
  })[];
  readonly downloads: readonly (DownloadOutcome & {
    readonly synced: boolean;
    readonly expectedToSurvive: boolean;
  })[];
  /** From the fault to weight 0 in the kernel of the Active; null when no server failed. */
  readonly weightZeroMs: number | null;
  /** From the server's recovery to its full weight. */
  readonly weightBackMs: number | null;
  /** From the last advert of the lost Active to the first of the new one, in its virtual router. */
  readonly takeoverAfterLastAdvertMs: number | null;
  readonly holders: Readonly<Record<string, readonly string[]>>;
  readonly adverts: readonly AdvertCount[];
  readonly announcements: readonly AnnouncementCount[];
}

/** The report of one scenario. */
export interface DrillReport {
  readonly scenario: string;
  readonly title: string;
  readonly topology: string;
  readonly startedUnixMs: number;
  readonly durationMs: number;
  readonly activeBefore: string;
  readonly activeAfter: string;
  readonly conditions: DrillConditions;
  readonly timeline: readonly TimelineEntry[];
  readonly measured: DrillMeasured;
  readonly promises: readonly PromiseResult[];
  /** Whether every promise holds. */
  readonly held: boolean;
}

/** The whole JSON file. */
export interface DrillFile {
  readonly format: 'tandem-drill/1';
  readonly kernel: { readonly kind: KernelKind; readonly reason: string; readonly release: string };
  readonly reports: readonly DrillReport[];
  readonly held: boolean;
}
