/**
 * The trackers of this node as the main thread sees them: runs its own, feeds them with what the
 * health checks know, and keeps what the vrrp thread reports of those that it follows.
 */
import type { ServiceConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import type { HealthState } from '../health/reasons.js';
import { serverId } from '../ipvs/desired.js';
import { MainTrackers, type TrackerChange } from '../track/mainTrackers.js';
import type {
  LinkTrackerSpec,
  MainTrackerSpec,
  TrackerReport,
  TrackerSpec,
} from '../track/model.js';
import type { Demotion, Fault } from '../vrrp/protocol.js';
import type { AgentLogger } from './logger.js';

/** What lowers the priorities of routers, or keeps them from running. */
export interface Burdens {
  readonly demotions: readonly Demotion[];
  readonly faults: readonly Fault[];
}

/** Those that the vrrp thread follows. */
export function linkTrackers(specs: readonly TrackerSpec[]): readonly LinkTrackerSpec[] {
  return specs.filter(isLinkTracker);
}

/** The trackers of the main thread, and the reports of all. */
export class Tracking {
  readonly #logger: AgentLogger;
  readonly #trackers: MainTrackers;
  #order: readonly string[] = [];

  /** @param onChange called when the burdens have changed */
  constructor(logger: AgentLogger, onChange: () => void) {
    this.#logger = logger.child({ part: 'trackers' });
    this.#trackers = new MainTrackers({
      onChange: (change) => {
        this.#log(change);
        onChange();
      },
    });
  }

  /** Takes over the trackers of a configuration. */
  configure(specs: readonly TrackerSpec[]): void {
    this.#order = specs.map(({ name }) => name);
    this.#trackers.configure(specs.filter(isMainTracker));
  }

  /** What the trackers of the main thread do to the routers. */
  get burdens(): Burdens {
    return this.#trackers.burdens;
  }

  /** Takes in the verdicts on all servers; those without a weight carry nothing anyway. */
  takeServices(
    services: readonly ServiceConfig[],
    reports: ReadonlyMap<string, { readonly state: HealthState }>,
  ): void {
    for (const service of services) {
      const states = service.servers
        .filter(({ weight }) => weight > 0)
        .map((server): HealthState => {
          if (checksOf(service).length === 0) return 'up';
          return reports.get(serverId(service.name, server))?.state ?? 'unknown';
        });
      this.#trackers.takeService(service.name, states);
    }
  }

  /** Takes in the state of a BFD session; `undefined`: not known yet. */
  takeBfdSession(session: string, up: boolean | undefined, detail: string): void {
    this.#trackers.takeBfdSession(session, up, detail);
  }

  /** All reports in the order of the configuration; those of links come from the vrrp thread. */
  reports(linkReports: readonly TrackerReport[]): readonly TrackerReport[] {
    const reports = [...linkReports, ...this.#trackers.reports];
    const place = (report: TrackerReport): number => this.#order.indexOf(report.name);
    return reports.toSorted((left, right) => place(left) - place(right));
  }

  /** Ends every watch. */
  stop(): void {
    this.#trackers.stop();
  }

  #log({ before, after }: TrackerChange): void {
    const detail = after.last?.detail ?? '';
    this.#logger[after.state === 'failing' ? 'warn' : 'info'](
      { tracker: after.name, from: before.state, to: after.state, detail },
      `tracker ${after.name} is ${after.state}: ${detail}`,
    );
  }
}

function isLinkTracker(spec: TrackerSpec): spec is LinkTrackerSpec {
  const { type } = spec.subject;
  return type === 'interface' || type === 'address' || type === 'route';
}

function isMainTracker(spec: TrackerSpec): spec is MainTrackerSpec {
  return !isLinkTracker(spec);
}
