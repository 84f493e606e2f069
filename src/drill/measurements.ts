/** What the records of a load say. Pure: times are monotonic microseconds, all given. */
import type { IpAddress } from '../wire/ipAddress.js';
import type {
  DownloadRecord,
  LoadResult,
  PersistentClientRecord,
  RequestFailure,
  RequestRecord,
} from './loadProtocol.js';

/** A stretch of time. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

/** The length of a span in milliseconds. */
export function lengthMs(span: Span): number {
  return (span.toUs - span.fromUs) / 1_000;
}

/**
 * The longest time between two consecutive answers within a span. Its ends count as answers, so
 * that a service that never comes back has a gap up to the end.
 */
export function longestGap(requests: readonly RequestRecord[], within: Span): Span {
  const answersUs = requests
    .filter(({ result, endedUs }) => 'server' in result && endedUs > within.fromUs)
    .map(({ endedUs }) => endedUs)
    .filter((atUs) => atUs < within.toUs)
    .sort((left, right) => left - right);
  let longest: Span = { fromUs: within.fromUs, toUs: within.fromUs };
  let previousUs = within.fromUs;
  for (const atUs of [...answersUs, within.toUs]) {
    if (atUs - previousUs > longest.toUs - longest.fromUs) {
      longest = { fromUs: previousUs, toUs: atUs };
    }
    previousUs = atUs;
  }
  return longest;
}

/** When the first answer after a moment came; `undefined` when none did. */
export function firstAnswerAfter(
  requests: readonly RequestRecord[],
  momentUs: number,
): number | undefined {
  const answersUs = requests
    .filter(({ result, sentUs }) => 'server' in result && sentUs > momentUs)
    .map(({ endedUs }) => endedUs);
  return answersUs.length === 0 ? undefined : answersUs.reduce((a, b) => Math.min(a, b));
}

/** Answers per server among requests sent within a span. */
export function answersPerServer(
  requests: readonly RequestRecord[],
  within: Span,
): Readonly<Record<string, number>> {
  return countAnswers(
    requests.filter(({ sentUs }) => sentUs >= within.fromUs && sentUs <= within.toUs),
  );
}

/** Answers per server. */
export function countAnswers(requests: readonly RequestRecord[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { result } of requests) {
    if ('server' in result) counts[result.server] = (counts[result.server] ?? 0) + 1;
  }
  return counts;
}

/**
 * How far the shares of the servers are from those of their weights: the greatest difference, in
 * percentage points. `undefined` without answers.
 */
export function shareDeviation(
  counts: Readonly<Record<string, number>>,
  weights: Readonly<Record<string, number>>,
): number | undefined {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const totalWeight = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  if (total === 0 || totalWeight === 0) return undefined;
  const names = new Set([...Object.keys(counts), ...Object.keys(weights)]);
  const differences = [...names].map((name) =>
    Math.abs((counts[name] ?? 0) / total - (weights[name] ?? 0) / totalWeight),
  );
  return 100 * Math.max(...differences);
}

/** How many requests failed for each reason. */
export function failuresByReason(
  requests: readonly RequestRecord[],
): Readonly<Partial<Record<RequestFailure, number>>> {
  const counts: Partial<Record<RequestFailure, number>> = {};
  for (const { result } of requests) {
    if ('failure' in result) counts[result.failure] = (counts[result.failure] ?? 0) + 1;
  }
  return counts;
}

/** A request that nobody answered. */
export interface FailedRequest {
  readonly sentUs: number;
  readonly endedUs: number;
  readonly failure: RequestFailure;
}

/** Failed requests of which no moment lies within a span. */
export function failuresOutside(
  requests: readonly RequestRecord[],
  span: Span,
): readonly FailedRequest[] {
  return requests.flatMap(({ result, sentUs, endedUs }) =>
    'failure' in result && (endedUs < span.fromUs || sentUs > span.toUs)
      ? [{ sentUs, endedUs, failure: result.failure }]
      : [],
  );
}

/** What became of one persistent client. */
export interface PersistentOutcome {
  readonly address: IpAddress;
  /** The server that answered it last before the fault; null when none did. */
  readonly before: string | null;
  /** The servers that answered requests sent after the fault, each once, in order. */
  readonly after: readonly string[];
  readonly outcome: 'stayed' | 'moved' | 'no-answer-before' | 'no-answer-after';
}

/** Compares each persistent client's server before and after the fault. */
export function persistentOutcome(
  client: PersistentClientRecord,
  faultUs: number,
): PersistentOutcome {
  let before: string | null = null;
  const after: string[] = [];
  for (const { result, sentUs, endedUs } of client.requests) {
    if (!('server' in result)) continue;
    if (endedUs <= faultUs) before = result.server;
    else if (sentUs > faultUs && !after.includes(result.server)) after.push(result.server);
  }
  return { address: client.address, before, after, outcome: classify(before, after) };
}

function classify(before: string | null, after: readonly string[]): PersistentOutcome['outcome'] {
  if (before === null) return 'no-answer-before';
  if (after.length === 0) return 'no-answer-after';
  return after.every((server) => server === before) ? 'stayed' : 'moved';
}

/** What became of one download. */
export interface DownloadOutcome {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly server: string | null;
  readonly outcome: 'survived' | 'not-established' | 'reset' | 'stalled';
  /** Longest time without bytes after the fault, in milliseconds. */
  readonly stalledMs: number;
}

/**
 * Whether a download that flowed at the fault went on: bytes came after the service was back, and
 * were still coming at the end.
 */
export function downloadOutcome(
  download: DownloadRecord,
  faultUs: number,
  endUs: number,
  quietMaxUs: number,
): DownloadOutcome {
  const { localAddress, localPort, server, arrivalsUs, ended } = download;
  const before = arrivalsUs.filter((atUs) => atUs <= faultUs);
  const after = arrivalsUs.filter((atUs) => atUs > faultUs && atUs <= endUs);
  let stalledUs = 0;
  let previousUs = before.at(-1) ?? faultUs;
  for (const atUs of [...after, endUs]) {
    stalledUs = Math.max(stalledUs, atUs - previousUs);
    previousUs = atUs;
  }
  const endedEarly = ended !== null && ended.atUs <= endUs;
  const outcome = ((): DownloadOutcome['outcome'] => {
    if (before.length === 0 || (ended !== null && ended.atUs <= faultUs)) return 'not-established';
    if (endedEarly) return 'reset';
    return endUs - (after.at(-1) ?? faultUs) <= quietMaxUs ? 'survived' : 'stalled';
  })();
  return { localAddress, localPort, server, outcome, stalledMs: stalledUs / 1_000 };
}

/** Counts of a whole load. */
export function totals(result: LoadResult): { sent: number; answered: number; failed: number } {
  const answered = result.requests.filter(({ result: outcome }) => 'server' in outcome).length;
  return { sent: result.requests.length, answered, failed: result.requests.length - answered };
}
