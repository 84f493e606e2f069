/** What a series of requests shows: who answered how often, and how fast. Pure. */

/** One request. */
export interface ProbeAnswer {
  /** Who answered; absent when nobody did. */
  readonly server?: string;
  /** Why there was no answer; absent when there was one. */
  readonly failure?: string;
  readonly latencyMs: number;
}

/** The whole series. */
export interface ProbeSummary {
  readonly requests: number;
  readonly failed: number;
  /** Most answers first. */
  readonly servers: readonly {
    readonly name: string;
    readonly answers: number;
    /** Of all answers, 0 to 1. */
    readonly share: number;
  }[];
  readonly failures: Readonly<Record<string, number>>;
  /** Of answered requests, in milliseconds; null without any. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  } | null;
}

/** Sums a series up. */
export function summarize(answers: readonly ProbeAnswer[]): ProbeSummary {
  const answered = answers.filter(({ server }) => server !== undefined);
  const counts = countOf(answered.map(({ server }) => server ?? ''));
  const latencies = answered.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.max(0, Math.ceil(share * latencies.length) - 1)] ?? 0;
  return {
    requests: answers.length,
    failed: answers.length - answered.length,
    servers: Object.entries(counts)
      .map(([name, count]) => ({ name, answers: count, share: count / answered.length }))
      .sort((left, right) => right.answers - left.answers || left.name.localeCompare(right.name)),
    failures: countOf(answers.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))),
    latencyMs:
      latencies.length === 0
        ? null
        : { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: latencies.at(-1) ?? 0 },
  };
}

function countOf(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = Object.create(null);
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return { ...counts };
}
