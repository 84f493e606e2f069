/**
 * The trackers of the main thread: keeps one watch for each that needs one, takes in what others
 * know (services, BFD sessions), and tells when something changes for the virtual routers.
 */
import { isDeepStrictEqual } from 'node:util';
import type { HealthState } from '../health/reasons.js';
import { watchFile } from './fileWatch.js';
import { observeService } from './mainObservation.js';
import type { MainTrackerSpec, TrackerObservation, TrackerReport, TrackerSpec } from './model.js';
import { ProcessWatch } from './processWatch.js';
import { type Watch, watchScript } from './scriptTracker.js';
import {
  burdensOf,
  differsInEffect,
  newTracker,
  observe,
  type Tracker,
  trackerReport,
} from './tracker.js';

/** What is told of a tracker that changed its mind. */
export interface TrackerChange {
  readonly before: TrackerReport;
  readonly after: TrackerReport;
}

/** What the trackers tell. */
export interface MainTrackerEvents {
  /** A tracker passes or fails now, or weighs otherwise than before. */
  readonly onChange: (change: TrackerChange) => void;
}

interface Entry {
  tracker: Tracker;
  readonly watch: Watch | undefined;
}

/** All trackers of the main thread. */
export class MainTrackers {
  readonly #events: MainTrackerEvents;
  readonly #processes = new ProcessWatch();
  readonly #entries = new Map<string, Entry>();

  constructor(events: MainTrackerEvents) {
    this.#events = events;
  }

  /**
   * Takes over a whole set of trackers. One that looks at the same as before keeps its verdict,
   * also when it weighs otherwise; one that is new is looked at at once.
   */
  configure(specs: readonly MainTrackerSpec[]): void {
    const wanted = new Map(specs.map((spec) => [spec.name, spec]));
    for (const [name, { tracker, watch }] of this.#entries) {
      if (isDeepStrictEqual(wanted.get(name)?.subject, tracker.spec.subject)) continue;
      watch?.close();
      this.#entries.delete(name);
    }
    for (const spec of specs) {
      const entry = this.#entries.get(spec.name);
      if (entry !== undefined) {
        entry.tracker = { ...entry.tracker, spec };
        continue;
      }
      const tracker = newTracker(spec, Date.now());
      this.#entries.set(spec.name, { tracker, watch: this.#startWatch(spec) });
    }
  }

  /** What the trackers that fail do to the virtual routers. */
  get burdens(): ReturnType<typeof burdensOf> {
    return burdensOf([...this.#entries.values()].map(({ tracker }) => tracker));
  }

  /** What the status document says, in the order of the configuration. */
  get reports(): readonly TrackerReport[] {
    return [...this.#entries.values()].map(({ tracker }) => trackerReport(tracker));
  }

  /** Takes in the states of all servers of a service. */
  takeService(service: string, servers: readonly HealthState[]): void {
    for (const spec of this.#specs()) {
      const { subject } = spec;
      if (subject.type !== 'service' || subject.service !== service) continue;
      this.#observeIfNew(spec, observeService(subject, servers));
    }
  }

  /** Takes in the state of a BFD session; `undefined`: not known, because it was just made. */
  takeBfdSession(session: string, up: boolean | undefined, detail: string): void {
    const outcome = up === undefined ? 'inconclusive' : up ? 'passed' : 'failed';
    for (const spec of this.#specs()) {
      if (spec.subject.type !== 'bfd' || spec.subject.session !== session) continue;
      this.#observeIfNew(spec, { outcome, detail });
    }
  }

  /** Ends every watch; scripts that run are ended. */
  stop(): void {
    for (const { watch } of this.#entries.values()) watch?.close();
    this.#entries.clear();
  }

  #specs(): readonly TrackerSpec[] {
    return [...this.#entries.values()].map(({ tracker }) => tracker.spec);
  }

  #startWatch({ name, subject }: MainTrackerSpec): Watch | undefined {
    const observer = (observation: TrackerObservation): void => this.#observe(name, observation);
    switch (subject.type) {
      case 'script':
        return watchScript(name, subject, observer);
      case 'file':
        return watchFile(subject, observer);
      case 'process':
        return this.#processes.watch(subject, observer);
      case 'service':
      case 'bfd':
        return undefined;
    }
  }

  /** What is told again and again by others counts once, when it says something new. */
  #observeIfNew({ name }: TrackerSpec, observation: TrackerObservation): void {
    const last = this.#entries.get(name)?.tracker.last;
    if (last?.outcome === observation.outcome && last.detail === observation.detail) return;
    this.#observe(name, observation);
  }

  #observe(name: string, observation: TrackerObservation): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const before = entry.tracker;
    entry.tracker = observe(before, observation, Date.now());
    if (!differsInEffect(before, entry.tracker)) return;
    this.#events.onChange({
      before: trackerReport(before),
      after: trackerReport(entry.tracker),
    });
  }
}
