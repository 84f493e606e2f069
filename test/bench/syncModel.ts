/** What the benchmark of connection sync measures, and its tables. Pure. */
import type { OfferResult } from './syncFlood.js';

/** How connections come to the other director. */
export type SyncWay = 'relay' | 'kernel';

/** New connections at a rate. */
export interface OfferedPart extends OfferResult {
  readonly part: 'offered';
  readonly way: SyncWay;
  /** `null`: as fast as it goes. */
  readonly perSecond: number | null;
  /** Processor time of the agents in a second; the kernel has no process that could be asked. */
  readonly agentCpuShare: number | null;
}

/** A whole table for a director that joins. */
export interface BulkPart {
  readonly part: 'bulk';
  readonly entries: number;
  /** From the stream of the kernel into the table of the first director. */
  readonly heardSeconds: number;
  readonly seconds: number;
  /** In the other kernel. */
  readonly arrived: number;
  readonly tableBytesPerEntry: number;
  readonly droppedBeforeKernel: number;
  /** Processor time while the table went over, in seconds. */
  readonly cpuSeconds: { readonly sender: number; readonly receiver: number };
  readonly residentMegabytes: { readonly sender: number; readonly receiver: number };
  /** Reading the same table from /proc; `null` when it was not tried. */
  readonly procSeconds: number | null;
}

/** One line of what the inner program tells. */
export type SyncPart = OfferedPart | BulkPart;

/** What is measured. */
export interface SyncPlan {
  readonly rates: readonly { readonly perSecond: number | null; readonly connections: number }[];
  readonly bulks: readonly number[];
  readonly readsProc: boolean;
}

/** Rows for `formatTable`: new connections, both ways. */
export function offeredRows(parts: readonly OfferedPart[]): readonly (readonly string[])[] {
  return [
    [
      'offered/s',
      'way',
      'connections',
      'lost',
      'repaired',
      'entries/s',
      'ratio',
      'lag p50 ms',
      'p99',
      'max',
      'agents CPU',
    ],
    ...parts.map((part) => {
      const peer = parts.find(
        ({ way, perSecond }) => way === 'kernel' && perSecond === part.perSecond,
      );
      const isOurs = part.way === 'relay' && peer !== undefined;
      return [
        part.perSecond === null
          ? `all at once (${Math.round(part.offered / part.offeredSeconds)})`
          : String(part.perSecond),
        part.way,
        String(part.offered),
        String(part.offered - part.arrived),
        String(part.repaired),
        String(Math.round(rateOf(part))),
        isOurs ? (rateOf(part) / rateOf(peer)).toFixed(2) : '',
        ...[part.lagMs.p50, part.lagMs.p99, part.lagMs.max].map((ms) => ms.toFixed(0)),
        part.agentCpuShare === null ? '' : `${(part.agentCpuShare * 100).toFixed(0)} %`,
      ];
    }),
  ];
}

/** Rows for `formatTable`: whole tables. */
export function bulkRows(parts: readonly BulkPart[]): readonly (readonly string[])[] {
  return [
    [
      'whole table',
      'heard/s',
      'seconds',
      'entries/s',
      'lost',
      'bytes/entry',
      'CPU s',
      'MB',
      '/proc s',
      'ratio',
    ],
    ...parts.map((part) => [
      String(part.entries),
      String(Math.round(part.entries / part.heardSeconds)),
      part.seconds.toFixed(2),
      String(Math.round(part.entries / part.seconds)),
      String(part.entries - part.arrived),
      part.tableBytesPerEntry.toFixed(1),
      `${part.cpuSeconds.sender.toFixed(1)} + ${part.cpuSeconds.receiver.toFixed(1)}`,
      `${part.residentMegabytes.sender} + ${part.residentMegabytes.receiver}`,
      part.procSeconds === null ? '-' : part.procSeconds.toFixed(2),
      part.procSeconds === null ? '-' : (part.procSeconds / part.seconds).toFixed(1),
    ]),
  ];
}

/** What fell short of the aims; empty when nothing did. */
export function syncFaults(parts: readonly SyncPart[]): readonly string[] {
  return parts.flatMap((part) => {
    if (part.part === 'bulk') {
      const missing = part.entries - part.arrived;
      return missing > 0 ? [`${missing} of a table of ${part.entries} did not arrive`] : [];
    }
    const lost = part.offered - part.arrived;
    if (part.way === 'kernel' || part.perSecond === null || lost === 0) return [];
    return [`the relay lost ${lost} of ${part.offered} at ${part.perSecond} a second`];
  });
}

function rateOf({ arrived, repaired, seconds }: OfferedPart): number {
  return (arrived - repaired) / seconds;
}
