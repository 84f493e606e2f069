/** What a soak measures, and what must hold. Pure. */
import type { RequestFailure } from '../../src/drill/loadProtocol.js';

/** What the line of the result begins with. */
export const soakMark = 'soak result: ';

/** What a process holds at one moment. */
export interface ProcessSample {
  readonly residentKiB: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** A part of the soak: with the same things going on all the time. */
export interface SoakPart {
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
  readonly failedFor: Readonly<Partial<Record<RequestFailure, number>>>;
}

/** All that was seen. */
export interface SoakResult {
  /** Reloads, drains and failing checks, of which no client may notice anything. */
  readonly steady: SoakPart;
  /** The same, and directors that step down. */
  readonly changing: SoakPart;
  readonly reloads: number;
  readonly drains: number;
  readonly flaps: number;
  readonly failovers: number;
  /** Times that a service or server had counted fewer connections than before. */
  readonly counterResets: number;
  /** One sample a second from each director's agent. */
  readonly agents: Readonly<Record<string, readonly ProcessSample[]>>;
}

/** How much a figure has grown. */
export interface Growth {
  readonly from: ProcessSample;
  readonly to: ProcessSample;
}

/** What may grow: the heap is collected when the engine likes, descriptors are ours alone. */
export const growthMax = { residentKiB: 16 * 1024, descriptors: 0, threads: 0 } as const;

/**
 * Compares the least of two stretches: the third fifth of the time, when everything has happened
 * once, and the last. The least is what stays when everything is done that was begun.
 */
export function growthOf(samples: readonly ProcessSample[]): Growth {
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  return {
    from: least(samples.slice(2 * fifth, 3 * fifth)),
    to: least(samples.slice(-fifth)),
  };
}

/** One line for everything that does not hold. */
export function soakFaults(result: SoakResult): readonly string[] {
  const { steady, counterResets, agents } = result;
  const faults: string[] = [];
  if (steady.failed > 0) faults.push(`${steady.failed} of ${steady.requests} requests were lost`);
  if (steady.requests === 0) faults.push('no request was answered');
  if (counterResets > 0) faults.push(`counters were reset ${counterResets} times`);
  for (const [node, samples] of Object.entries(agents)) {
    const { from, to } = growthOf(samples);
    for (const name of ['residentKiB', 'descriptors', 'threads'] as const) {
      if (to[name] - from[name] <= growthMax[name]) continue;
      faults.push(`${node}: ${name} grew from ${from[name]} to ${to[name]}`);
    }
  }
  return faults;
}

/** The rows of the table, the title first. */
export function soakRows({ agents, ...result }: SoakResult): readonly (readonly string[])[] {
  const part = ({ seconds, requests, failed, failedFor }: SoakPart): string => {
    const reasons = Object.entries(failedFor).map(([reason, count]) => `${count} ${reason}`);
    const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
    return `${seconds} s, ${requests} requests, ${failed} lost${why}`;
  };
  const mebibytes = (kibibytes: number): string => `${(kibibytes / 1024).toFixed(1)} MiB`;
  return [
    ['what', 'measured'],
    ['reloads, drains, failing checks', part(result.steady)],
    ['the same and failovers', part(result.changing)],
    ['reloads', String(result.reloads)],
    ['drains', String(result.drains)],
    ['servers that failed their checks', String(result.flaps)],
    ['failovers', String(result.failovers)],
    ['counters reset', String(result.counterResets)],
    ...Object.entries(agents).map(([node, samples]) => {
      const { from, to } = growthOf(samples);
      return [
        `agent of ${node}`,
        `memory ${mebibytes(from.residentKiB)}, then ${mebibytes(to.residentKiB)}; ` +
          `descriptors ${from.descriptors}, then ${to.descriptors}; ` +
          `threads ${from.threads}, then ${to.threads}`,
      ];
    }),
  ];
}

function least(samples: readonly ProcessSample[]): ProcessSample {
  const of = (name: keyof ProcessSample): number =>
    Math.min(...samples.map((sample) => sample[name]));
  return {
    residentKiB: of('residentKiB'),
    descriptors: of('descriptors'),
    threads: of('threads'),
  };
}
