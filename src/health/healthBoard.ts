/**
 * All that is known of all servers: the reports of the checks, joined to verdicts on servers, to
 * quorums of services, and to the question whether this director has lost its network. Pure: the
 * clock is passed in.
 */
import { formatEndpoint } from '../wire/ipAddress.js';
import { type LossCheck, type NetworkLoss, noNetworkLoss, stepNetworkLoss } from './networkLoss.js';
import type { CheckReport, CheckSpec } from './protocol.js';
import { type QuorumRules, type QuorumVerdict, quorumCount, stepQuorum } from './quorum.js';
import {
  type CheckOpinion,
  initialServerVerdict,
  type OperationalReason,
  operationOf,
  type ServerRules,
  type ServerVerdict,
  stepServer,
} from './serverVerdict.js';

/** One server of a service, and the checks that are made of it. */
export interface BoardServer {
  /** `service/address:port`. */
  readonly id: string;
  readonly weight: number;
  readonly checkIds: readonly string[];
}

/** One service that has checks. */
export interface BoardService {
  readonly name: string;
  readonly servers: readonly BoardServer[];
  readonly rules: ServerRules;
  readonly quorum?: QuorumRules;
}

/**
 * The health of one server, of all of its checks together. State and time are those of the server;
 * the last result and the counters are those of the check that decides.
 */
export interface ServerHealth extends CheckReport {
  /** What the rules take off its weight beside that; absent: nothing. */
  readonly operation?: {
    /** Share of its weight, 0..100. */
    readonly percent: number;
    readonly reason: OperationalReason;
    /** When that changes by itself; absent: not. */
    readonly untilUnixMs?: number;
  };
  /** It failed with all others at once, and that is not held against it. */
  readonly excused?: true;
  /** Every check by itself, when there are several. */
  readonly checks?: readonly CheckReport[];
}

/** What has changed by an event. */
export interface BoardChange {
  /** Servers whose state, weight or reason is another. */
  readonly servers: readonly { readonly before: ServerHealth; readonly after: ServerHealth }[];
  /** Services whose quorum was met or lost. */
  readonly quorums: readonly ({ readonly service: string } & QuorumVerdict)[];
  /** Present when the network was found lost or back. */
  readonly networkLost?: boolean;
}

/** A server, and the rules of the service that it is in. */
interface JudgedServer {
  readonly server: BoardServer;
  readonly rules: ServerRules;
}

/** What of a check that is asked over the network does not change while it is configured. */
type NetworkCheck = Pick<LossCheck, 'id' | 'backend' | 'detectionMs'>;

/**
 * The board of one agent. A report costs what it concerns: with thousands of servers one death is
 * no more work than with ten.
 */
export class HealthBoard {
  #services: readonly BoardService[] = [];
  /** Every server by its id, and those that a check is made for, by the id of the check. */
  #judged: ReadonlyMap<string, JudgedServer> = new Map();
  #concerned: ReadonlyMap<string, readonly JudgedServer[]> = new Map();
  #networkChecks: readonly NetworkCheck[] = [];
  #holdsOnLoss = true;
  readonly #reports = new Map<string, CheckReport>();
  readonly #verdicts = new Map<string, ServerVerdict>();
  #servers = new Map<string, ServerHealth>();
  /** When servers change by themselves: those that do. */
  readonly #changesAtMs = new Map<string, number>();
  #quorums = new Map<string, QuorumVerdict>();
  #operatorWeights: ReadonlyMap<string, number> = new Map();
  #loss: NetworkLoss = noNetworkLoss;

  /** Every server that has checks, by its id. */
  get servers(): ReadonlyMap<string, ServerHealth> {
    return this.#servers;
  }

  /** Services that have a quorum, by name. */
  get quorums(): ReadonlyMap<string, QuorumVerdict> {
    return this.#quorums;
  }

  /** Since when the network is held to be lost; `undefined`: it is not. */
  get networkLostSinceMs(): number | undefined {
    return this.#loss.lost ? this.#loss.sinceUnixMs : undefined;
  }

  /** When {@link refresh} must be called, if nothing happens before. */
  get nextMs(): number | undefined {
    const { excusedUntilMs } = this.#loss;
    if (excusedUntilMs === undefined && this.#changesAtMs.size === 0) return undefined;
    const times = [...this.#changesAtMs.values(), excusedUntilMs ?? Number.POSITIVE_INFINITY];
    return times.reduce((first, time) => Math.min(first, time));
  }

  /** Takes over services and checks. Servers that were there before keep what is known of them. */
  configure(
    services: readonly BoardService[],
    specs: readonly CheckSpec[],
    holdsOnLoss: boolean,
    nowMs: number,
  ): BoardChange {
    this.#services = services;
    this.#networkChecks = specs.flatMap(networkCheck);
    this.#holdsOnLoss = holdsOnLoss;
    const checks = new Set(specs.map(({ id }) => id));
    for (const id of this.#reports.keys()) if (!checks.has(id)) this.#reports.delete(id);
    const judged = services.flatMap(({ servers, rules }) =>
      servers.map((server) => ({ server, rules })),
    );
    this.#judged = new Map(judged.map((each) => [each.server.id, each]));
    this.#concerned = byCheck(judged);
    for (const id of this.#verdicts.keys()) if (!this.#judged.has(id)) this.#verdicts.delete(id);
    return this.refresh(nowMs);
  }

  /**
   * Takes the weights that operators have set, by server: 0 for one that is drained or maintained,
   * which does not count for a quorum, since it takes no new clients.
   */
  setOperatorWeights(weights: ReadonlyMap<string, number>, nowMs: number): BoardChange {
    this.#operatorWeights = weights;
    return this.refresh(nowMs);
  }

  /** Takes in reports; those of checks that are not configured are left out. */
  take(reports: readonly CheckReport[], wanted: ReadonlySet<string>, nowMs: number): BoardChange {
    const concerned = new Set<JudgedServer>();
    for (const report of reports) {
      if (!wanted.has(report.id)) continue;
      this.#reports.set(report.id, report);
      for (const each of this.#concerned.get(report.id) ?? []) concerned.add(each);
    }
    const excusedBefore = this.#loss.excused;
    const networkLost = this.#stepLoss(nowMs);
    if (this.#loss.excused !== excusedBefore) return this.#judgeAll(nowMs, networkLost);
    for (const [id, atMs] of this.#changesAtMs) {
      const due = atMs <= nowMs ? this.#judged.get(id) : undefined;
      if (due !== undefined) concerned.add(due);
    }
    return this.#judgeThese(concerned, this.#servers, nowMs, networkLost);
  }

  /** Works everything out anew. */
  refresh(nowMs: number): BoardChange {
    return this.#judgeAll(nowMs, this.#stepLoss(nowMs));
  }

  /** Takes the time and the reports into the question of the network; gives what has changed. */
  #stepLoss(nowMs: number): boolean | undefined {
    const { lost } = this.#loss;
    this.#loss = this.#holdsOnLoss
      ? stepNetworkLoss(this.#loss, this.#lossChecks(), nowMs)
      : noNetworkLoss;
    return this.#loss.lost === lost ? undefined : this.#loss.lost;
  }

  #judgeAll(nowMs: number, networkLost: boolean | undefined): BoardChange {
    const before = this.#servers;
    this.#servers = new Map();
    this.#changesAtMs.clear();
    return this.#judgeThese(this.#judged.values(), before, nowMs, networkLost);
  }

  #judgeThese(
    judged: Iterable<JudgedServer>,
    before: ReadonlyMap<string, ServerHealth>,
    nowMs: number,
    networkLost: boolean | undefined,
  ): BoardChange {
    const changed: { before: ServerHealth; after: ServerHealth }[] = [];
    for (const { server, rules } of judged) {
      const { id } = server;
      const after = this.#judge(server, rules, nowMs);
      const known = before.get(id) ?? unknownHealth(id, after.sinceUnixMs);
      this.#servers.set(id, after);
      const untilUnixMs = after.operation?.untilUnixMs;
      if (untilUnixMs === undefined) this.#changesAtMs.delete(id);
      else this.#changesAtMs.set(id, untilUnixMs);
      if (differs(known, after)) changed.push({ before: known, after });
    }
    return {
      servers: changed,
      quorums: this.#countQuorums(),
      ...(networkLost === undefined ? {} : { networkLost }),
    };
  }

  #judge(server: BoardServer, rules: ServerRules, nowMs: number): ServerHealth {
    const reports = server.checkIds.flatMap((id) => this.#reports.get(id) ?? []);
    const opinions = server.checkIds.map((id) => opinionOf(this.#reports.get(id)));
    const known = this.#verdicts.get(server.id) ?? initialServerVerdict(nowMs);
    const verdict = stepServer(known, opinions, rules, nowMs);
    this.#verdicts.set(server.id, verdict);
    const { state, sinceUnixMs, percent, reason, nextMs } = operationOf(verdict, rules, nowMs);
    const deciding = reports.find((report) => report.state !== 'up') ?? reports[0];
    const excused = state === 'down' && server.checkIds.some((id) => this.#loss.excused.has(id));
    const limits = reports.flatMap(({ connectionsMax }) => connectionsMax ?? []);
    const { connectionsMax: _, ...report } = deciding ?? unknownHealth(server.id, sinceUnixMs);
    const isPlain = reason === undefined || reason === 'check-failed';
    return {
      ...report,
      ...(limits.length === 0 ? {} : { connectionsMax: Math.min(...limits) }),
      id: server.id,
      state,
      sinceUnixMs,
      ...(isPlain
        ? {}
        : {
            operation: {
              percent,
              reason,
              ...(nextMs === undefined ? {} : { untilUnixMs: nextMs }),
            },
          }),
      ...(excused ? { excused } : {}),
      ...(server.checkIds.length > 1 ? { checks: reports } : {}),
    };
  }

  #countQuorums(): BoardChange['quorums'] {
    const before = this.#quorums;
    this.#quorums = new Map();
    const changes: ({ service: string } & QuorumVerdict)[] = [];
    for (const { name, servers, quorum } of this.#services) {
      if (quorum === undefined) continue;
      const counted = servers.map(({ id, weight: configured }) => ({
        weight: this.#operatorWeights.get(id) ?? configured,
        serves: servesNow(this.#servers.get(id)),
      }));
      const known = before.get(name)?.state ?? 'met';
      const count = quorumCount(counted, quorum.of);
      const state = stepQuorum(known, count, quorum);
      this.#quorums.set(name, { state, count });
      if (state !== known) changes.push({ service: name, state, count });
    }
    return changes;
  }

  #lossChecks(): Iterable<LossCheck> {
    const checks = this.#networkChecks;
    const reports = this.#reports;
    return {
      *[Symbol.iterator]() {
        for (const check of checks) {
          const report = reports.get(check.id);
          // What says nothing without the network proves nothing either way.
          if (report?.last?.reason === 'agent-silent') continue;
          yield {
            ...check,
            state: report?.state ?? 'unknown',
            sinceUnixMs: report?.sinceUnixMs ?? 0,
            reason: report?.last?.reason,
          };
        }
      },
    };
  }
}

/** What does not go over the network proves nothing either way. */
function networkCheck({ id, address, port, timing, probe }: CheckSpec): readonly NetworkCheck[] {
  if (probe.type === 'file' || probe.type === 'script') return [];
  const longestMs = Math.max(timing.intervalMs, timing.changingIntervalMs ?? 0);
  const detectionMs = longestMs * timing.fall + timing.timeoutMs;
  return [{ id, backend: formatEndpoint(address, port), detectionMs }];
}

function byCheck(judged: readonly JudgedServer[]): ReadonlyMap<string, readonly JudgedServer[]> {
  const concerned = new Map<string, JudgedServer[]>();
  for (const each of judged) {
    for (const id of each.server.checkIds) {
      const known = concerned.get(id);
      if (known === undefined) concerned.set(id, [each]);
      else known.push(each);
    }
  }
  return concerned;
}

/** One that has asked for no new clients does not serve, although it is up. */
function servesNow(health: ServerHealth | undefined): boolean {
  if (health === undefined || health.excused === true) return true;
  return health.state !== 'down' && health.operation?.percent !== 0;
}

function opinionOf(report: CheckReport | undefined): CheckOpinion {
  if (report === undefined) return { state: 'unknown' };
  const { state, last, weightPercent } = report;
  return {
    state,
    ...(weightPercent === undefined ? {} : { weightPercent }),
    ...(state === 'down' && last?.reason === 'reported-maintenance' ? { wantsOut: true } : {}),
  };
}

function unknownHealth(id: string, sinceUnixMs: number): ServerHealth {
  const probes = { passed: 0, failed: 0, unknown: 0 };
  return { id, state: 'unknown', sinceUnixMs, streak: 0, last: null, probes };
}

function differs(before: ServerHealth, after: ServerHealth): boolean {
  return (
    before.state !== after.state ||
    before.excused !== after.excused ||
    before.connectionsMax !== after.connectionsMax ||
    before.operation?.reason !== after.operation?.reason ||
    before.operation?.percent !== after.operation?.percent
  );
}
