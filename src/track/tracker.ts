/**
 * The verdict on one tracker, from one observation to the next, and what it means for the virtual
 * routers. Pure.
 */
import { initialVerdict, step, type Verdict } from '../health/verdict.js';
import type { Demotion, Fault } from '../vrrp/protocol.js';
import type { TrackerFailure } from '../vrrp/reasons.js';
import type {
  TrackerEffect,
  TrackerObservation,
  TrackerReport,
  TrackerSpec,
  TrackerStatus,
  TrackerSubject,
} from './model.js';

/** A demotion takes no more than this off, or adds no more: beyond it nothing would change. */
const weightMax = 253;

/** What is known of one tracker. */
export interface Tracker {
  readonly spec: TrackerSpec;
  readonly verdict: Verdict;
  /** What the weights are multiplied by while it fails. */
  readonly value: number;
  readonly last: TrackerReport['last'];
}

/** A tracker that was not looked at yet. Times are Unix milliseconds throughout. */
export function newTracker(spec: TrackerSpec, nowUnixMs: number): Tracker {
  const verdict = initialVerdict(thresholdsOf(spec.subject), nowUnixMs);
  return { spec, verdict, value: 1, last: null };
}

/** Takes an observation into account. */
export function observe(
  tracker: Tracker,
  observation: TrackerObservation,
  nowUnixMs: number,
): Tracker {
  const { outcome, value = 1, detail, durationMs } = observation;
  const { verdict } = step(tracker.verdict, outcome, nowUnixMs);
  return {
    spec: tracker.spec,
    verdict,
    value: outcome === 'failed' ? value : tracker.value,
    last: {
      outcome,
      detail,
      atUnixMs: nowUnixMs,
      ...(durationMs === undefined ? {} : { durationMs }),
    },
  };
}

/** Whether the virtual routers have to hear of the difference between two moments of a tracker. */
export function differsInEffect(before: Tracker, after: Tracker): boolean {
  return (
    isFailing(before) !== isFailing(after) || (isFailing(after) && before.value !== after.value)
  );
}

/** What the trackers that fail do to the virtual routers. */
export function burdensOf(trackers: Iterable<Tracker>): {
  readonly demotions: readonly Demotion[];
  readonly faults: readonly Fault[];
} {
  const demotions: Demotion[] = [];
  const faults: Fault[] = [];
  for (const tracker of trackers) {
    if (!isFailing(tracker)) continue;
    const { name, subject } = tracker.spec;
    const reason = failureReasons[subject.type];
    for (const [weight, routers] of routersByWeight(tracker.spec.effects)) {
      if (weight === 0) faults.push({ reason, tracker: name, routers });
      else {
        const product = Math.max(-weightMax, Math.min(weightMax, weight * tracker.value));
        demotions.push({ reason, weight: product, routers, tracker: name });
      }
    }
  }
  return { demotions, faults };
}

/** What the status document says of a tracker. */
export function trackerReport({ spec, verdict, last }: Tracker): TrackerReport {
  return {
    name: spec.name,
    type: spec.subject.type,
    state: statusOf[verdict.state],
    sinceUnixMs: verdict.sinceUs,
    streak: verdict.streak,
    last,
    effects: spec.effects,
  };
}

const statusOf = {
  unknown: 'unknown',
  up: 'passing',
  down: 'failing',
} as const satisfies Record<Verdict['state'], TrackerStatus>;

const failureReasons: Readonly<Record<TrackerSubject['type'], TrackerFailure>> = {
  interface: 'tracked-interface-down',
  address: 'tracked-address-missing',
  route: 'tracked-route-missing',
  script: 'tracked-script-failing',
  file: 'tracked-file-value',
  process: 'tracked-process-count',
  service: 'service-below-quorum',
  bfd: 'bfd-session-down',
};

function isFailing({ spec, verdict }: Tracker): boolean {
  if (verdict.state !== 'unknown') return verdict.state === 'down';
  return spec.subject.type === 'script' && spec.subject.initially === 'failing';
}

function thresholdsOf(subject: TrackerSubject): Verdict['thresholds'] {
  if (subject.type === 'script') return { rise: subject.rise, fall: subject.fall };
  if (subject.type !== 'process') return { rise: 1, fall: 1 };
  // One look says that the number is wrong; the delay has passed after so many more.
  const looks = 1 + Math.ceil(subject.delayMs / subject.intervalMs);
  return { rise: looks, fall: looks };
}

function routersByWeight(effects: readonly TrackerEffect[]): ReadonlyMap<number, string[]> {
  const routers = new Map<number, string[]>();
  for (const { router, weight } of effects) {
    const known = routers.get(weight) ?? [];
    routers.set(weight, [...known, router]);
  }
  return routers;
}
