/**
 * The trackers of links, addresses and routes. They live in the loop that hears the kernel's
 * events, so that the turn that hears that an interface is down already advertises it.
 */
import type { RouteEvent, RouteNetlink } from '../kernel/routeNetlink.js';
import {
  openRouteTableMonitor,
  openRouteTableReader,
  type RouteTableEvent,
  type RouteTableMonitor,
  type RouteTableReader,
} from '../kernel/routeTable.js';
import { makeLinkView, observeLink, routeKey } from '../track/linkObservation.js';
import type { LinkSubject, LinkTrackerSpec, TrackerReport } from '../track/model.js';
import { burdensOf, newTracker, observe, type Tracker, trackerReport } from '../track/tracker.js';
import { familyOf, type IpFamily } from '../wire/ipAddress.js';
import { isSameValue } from './reconfiguration.js';
import type { Reporter } from './reporter.js';

/** Two readings are at least this far apart: a storm of events must not occupy the loop. */
const readGapUs = 20_000;

/** A reading that failed is tried again after this. */
const retryUs = 1_000_000;

/** Most lines of the log that one look makes. */
const logLinesMax = 20;

interface Entry {
  readonly subject: LinkSubject;
  tracker: Tracker;
}

/** The trackers of the vrrp thread. */
export class LinkTrackers {
  readonly #routes: RouteNetlink;
  readonly #reporter: Reporter;
  readonly #entries = new Map<string, Entry>();
  /** Open only while routes are tracked: machines may have a million of them. */
  #table: { readonly reader: RouteTableReader; readonly monitor: RouteTableMonitor } | undefined;
  /** Indexes of the tracked interfaces: one that is renamed is gone by its name. */
  #linkIndexes: ReadonlySet<number> = new Set();
  #readDueUs = Number.POSITIVE_INFINITY;
  #lastReadUs = 0;
  #reportsAreNew = true;

  constructor(routes: RouteNetlink, reporter: Reporter) {
    this.#routes = routes;
    this.#reporter = reporter;
  }

  /** Descriptors to wait for. */
  get fds(): readonly number[] {
    return this.#table === undefined ? [] : [this.#table.monitor.fd];
  }

  /** When to look again; infinite when there is no need. */
  get nextDeadlineUs(): number {
    return this.#readDueUs;
  }

  /** What the trackers that fail do to the virtual routers. */
  get burdens(): ReturnType<typeof burdensOf> {
    return burdensOf([...this.#entries.values()].map(({ tracker }) => tracker));
  }

  /** Takes over a whole set of trackers; those that look at the same keep their verdict. */
  configure(specs: readonly LinkTrackerSpec[]): void {
    const before = new Map(this.#entries);
    this.#entries.clear();
    for (const spec of specs) {
      const earlier = before.get(spec.name);
      const isSame = earlier !== undefined && isSameValue(earlier.subject, spec.subject);
      const tracker = isSame ? { ...earlier.tracker, spec } : newTracker(spec, Date.now());
      this.#entries.set(spec.name, { subject: spec.subject, tracker });
    }
    this.#openTable(specs.some(({ subject }) => subject.type === 'route'));
    this.#reportsAreNew = true;
    // A configuration does not wait: what is down already must be known before it is elected.
    this.#lastReadUs = 0;
    this.#readDueUs = specs.length > 0 ? 0 : Number.POSITIVE_INFINITY;
  }

  /** Notes whether anything happened that a tracker looks at. */
  takeEvents(events: readonly RouteEvent[], turnUs: number): void {
    const changes = this.#table?.monitor.read() ?? [];
    if (this.#entries.size === 0 || events.length + changes.length === 0) return;
    const subjects = [...this.#entries.values()].map(({ subject }) => subject);
    const isRenamed = events.some(
      (event) => event.kind === 'link' && this.#linkIndexes.has(event.link.index),
    );
    if (!isRenamed && !concerns(subjects, events, changes)) return;
    this.#readDueUs = Math.min(this.#readDueUs, Math.max(turnUs, this.#lastReadUs + readGapUs));
  }

  /** Looks at the machine if need be; true when something changed for the virtual routers. */
  follow(turnUs: number): boolean {
    if (turnUs < this.#readDueUs) return false;
    this.#readDueUs = Number.POSITIVE_INFINITY;
    this.#lastReadUs = turnUs;
    const before = this.burdens;
    try {
      this.#look();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#reporter.remark('trackers', 'warn', `cannot look at what is tracked: ${text}`, {});
      this.#readDueUs = turnUs + retryUs;
    }
    return !isSameValue(before, this.burdens);
  }

  /** What the status document says; `undefined` when that was told already. */
  takeReports(): readonly TrackerReport[] | undefined {
    if (!this.#reportsAreNew) return undefined;
    this.#reportsAreNew = false;
    return [...this.#entries.values()].map(({ tracker }) => trackerReport(tracker));
  }

  close(): void {
    this.#openTable(false);
  }

  #look(): void {
    const subjects = [...this.#entries.values()].map(({ subject }) => subject);
    const view = makeLinkView({
      links: this.#routes.links(),
      addresses: subjects.some(({ type }) => type === 'address') ? this.#routes.addresses() : [],
      routes: tablesOf(subjects).flatMap(
        ([family, table]) => this.#table?.reader.routes(family, table) ?? [],
      ),
    });
    const changed: Tracker[] = [];
    for (const entry of this.#entries.values()) {
      const observation = observeLink(entry.subject, view);
      const { last } = entry.tracker;
      // What was seen before is no news; thousands of trackers would all be reported for one.
      if (last?.outcome === observation.outcome && last.detail === observation.detail) continue;
      entry.tracker = observe(entry.tracker, observation, Date.now());
      changed.push(entry.tracker);
    }
    this.#linkIndexes = new Set(
      subjects.flatMap((subject) =>
        subject.type === 'interface' ? (view.links.get(subject.interface)?.index ?? []) : [],
      ),
    );
    if (changed.length > 0) this.#reportsAreNew = true;
    this.#log(changed);
  }

  #log(changed: readonly Tracker[]): void {
    for (const { spec, last } of changed.slice(0, logLinesMax)) {
      if (last === null) continue;
      const level = last.outcome === 'passed' ? 'info' : 'warn';
      const { name } = spec;
      this.#reporter.log(level, `tracker ${name}: ${last.detail}`, { tracker: name });
    }
    const more = changed.length - logLinesMax;
    if (more > 0) this.#reporter.log('warn', `${more} more trackers changed at once`, { more });
  }

  #openTable(wanted: boolean): void {
    if (wanted === (this.#table !== undefined)) return;
    if (wanted) {
      this.#table = { reader: openRouteTableReader(), monitor: openRouteTableMonitor() };
      return;
    }
    this.#table?.reader.close();
    this.#table?.monitor.close();
    this.#table = undefined;
  }
}

/** Whether what happened may change what a look would find. */
function concerns(
  subjects: readonly LinkSubject[],
  events: readonly RouteEvent[],
  changes: readonly RouteTableEvent[],
): boolean {
  const names = new Set<string>();
  const addresses = new Set<string>();
  const routes = new Set<string>();
  for (const subject of subjects) {
    if (subject.type === 'interface') names.add(subject.interface);
    else if (subject.type === 'address') addresses.add(subject.address);
    else routes.add(routeKey(subject));
  }
  // The kernel does not tell that IPv4 routes went with their link or their source address.
  const tracksRoutes = routes.size > 0;
  return (
    changes.some((change) => typeof change === 'symbol' || routes.has(routeKey(change))) ||
    events.some((event) => {
      if (event.kind === 'overrun') return true;
      if (event.kind === 'link') return tracksRoutes || names.has(event.link.name);
      const leaves = tracksRoutes && event.action === 'removed';
      return leaves || addresses.has(event.address.prefix.address);
    })
  );
}

/** Every table that must be read, once. */
function tablesOf(subjects: readonly LinkSubject[]): readonly (readonly [IpFamily, number])[] {
  const tables = new Map<string, readonly [IpFamily, number]>();
  for (const subject of subjects) {
    if (subject.type !== 'route') continue;
    const family = familyOf(subject.destination.address);
    tables.set(`${family} ${subject.table}`, [family, subject.table]);
  }
  return [...tables.values()];
}
