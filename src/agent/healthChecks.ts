/**
 * The health checks of this node as the agent sees them: the threads that probe, the board that
 * says what their reports mean, and the log of what changes.
 */
import type { BfdSessionReport } from '../bfd/protocol.js';
import type { ServiceConfig, TandemConfig } from '../config/model.js';
import { type BoardChange, HealthBoard, type ServerHealth } from '../health/healthBoard.js';
import type { CheckReport, HealthLoad } from '../health/protocol.js';
import type { QuorumVerdict } from '../health/quorum.js';
import { sessionState } from './bfdSessions.js';
import { type CheckPlan, type ProbeOf, planChecks } from './checkSpecs.js';
import { HealthThreads } from './healthThreads.js';
import type { AgentLogger } from './logger.js';
import { type ServiceChange, serviceChanges } from './serviceHooks.js';

/** What the agent wants to hear from the checks. */
export interface HealthEvents {
  /** Something about some server has changed, so the desired weights may have. */
  readonly onChange: () => void;
  /** A thread was lost, or all are back. */
  readonly onThread: (running: boolean) => void;
  /** Every check fails as with a lost network, or no longer. */
  readonly onNetwork: (lost: boolean) => void;
  /** What hooks are called for. */
  readonly onServiceChanges: (changes: readonly ServiceChange[]) => void;
}

/** Changes of servers that one event logs one by one; of more, the number is told. */
const changesLoggedMax = 50;

/** A timer for a moment that is further away looks again after this, in milliseconds. */
const timerMaxMs = 60_000;

/** The health checks of this node. */
export class HealthChecks {
  readonly #logger: AgentLogger;
  readonly #events: HealthEvents;
  readonly #threads: HealthThreads;
  readonly #board = new HealthBoard();
  #services: readonly ServiceConfig[] = [];
  #probeOf: ProbeOf | undefined;
  #config: TandemConfig['health'] | undefined;
  #plan: CheckPlan = { specs: [], services: [] };
  #wanted: ReadonlySet<string> = new Set();
  #isActive: (service: ServiceConfig) => boolean = () => true;
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: AgentLogger, events: HealthEvents) {
    this.#logger = logger.child({ thread: 'health' });
    this.#events = events;
    this.#threads = new HealthThreads(this.#logger, {
      onReports: (reports) => this.#takeReports(reports),
      onThread: (running) => events.onThread(running),
    });
  }

  /** The health of every server that is checked, by its id. */
  get reports(): ReadonlyMap<string, ServerHealth> {
    return this.#board.servers;
  }

  /** Services that have a quorum, by name. */
  get quorums(): ReadonlyMap<string, QuorumVerdict> {
    return this.#board.quorums;
  }

  /** Restarts since the agent started. */
  get restarts(): number {
    return this.#threads.restarts;
  }

  /** Whether all threads are there. */
  get running(): boolean {
    return this.#threads.running;
  }

  /** How each thread keeps up. */
  get loads(): readonly HealthLoad[] {
    return this.#threads.loads;
  }

  /** Since when the network is held to be lost; null: it is not. */
  get networkLostUnixMs(): number | null {
    return this.#board.networkLostSinceMs ?? null;
  }

  /** Takes over the checks of a configuration; equal ones keep their state. */
  configure(
    services: readonly ServiceConfig[],
    probeOf: ProbeOf,
    config: TandemConfig['health'],
  ): void {
    this.#services = services;
    this.#probeOf = probeOf;
    this.#config = config;
    this.#apply();
  }

  /** Says for which services this node is Active now; some are checked only while it is. */
  follow(isActive: (service: ServiceConfig) => boolean): void {
    this.#isActive = isActive;
    const probeOf = this.#probeOf;
    if (probeOf === undefined) return;
    if (!this.#services.some(({ health }) => health?.checkOnlyWhenActive === true)) return;
    const before = this.#plan.specs.map(({ id }) => id);
    const after = planChecks(this.#services, probeOf, isActive).specs.map(({ id }) => id);
    if (before.join('\n') !== after.join('\n')) this.#apply();
  }

  /** Takes what the BFD sessions say, for the checks that ask about them. */
  takeSessions(reports: readonly BfdSessionReport[]): void {
    this.#threads.takeSessions(reports.map((report) => sessionState(report, Date.now())));
  }

  /** Has the checks of these servers made at once. */
  hint(servers: readonly string[]): void {
    const suspected = new Set(servers);
    const ids = this.#plan.services.flatMap((service) =>
      service.servers.filter(({ id }) => suspected.has(id)).flatMap(({ checkIds }) => checkIds),
    );
    this.#threads.hint(ids);
  }

  /** Takes the weights that operators have set, by server; 0 for one that is taken out. */
  setOperatorWeights(weights: ReadonlyMap<string, number>): void {
    this.#tell(this.#board.setOperatorWeights(weights, Date.now()));
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#threads.stop();
  }

  #apply(): void {
    const config = this.#config;
    const probeOf = this.#probeOf;
    if (config === undefined || probeOf === undefined) return;
    this.#plan = planChecks(this.#services, probeOf, this.#isActive);
    const { specs, services } = this.#plan;
    this.#wanted = new Set(specs.map(({ id }) => id));
    const holds = config.whenAllFail === 'hold';
    this.#tell(this.#board.configure(services, specs, holds, Date.now()));
    this.#threads.configure(specs, config.threads);
  }

  #takeReports(reports: readonly CheckReport[]): void {
    this.#tell(this.#board.take(reports, this.#wanted, Date.now()));
  }

  #tell(change: BoardChange): void {
    this.#armTimer();
    const isChange = change.servers.length > 0 || change.quorums.length > 0;
    // The kernel comes first: a dead server gets connections until its weight is 0.
    if (isChange) this.#events.onChange();
    this.#log(change);
    if (change.networkLost !== undefined) this.#events.onNetwork(change.networkLost);
    if (!isChange) return;
    this.#events.onServiceChanges(serviceChanges(change, Date.now()));
  }

  #armTimer(): void {
    clearTimeout(this.#timer);
    const { nextMs } = this.#board;
    if (nextMs === undefined) return;
    const delayMs = Math.min(timerMaxMs, Math.max(1, Math.ceil(nextMs - Date.now())));
    this.#timer = setTimeout(() => this.#tell(this.#board.refresh(Date.now())), delayMs).unref();
  }

  #log({ servers, quorums, networkLost }: BoardChange): void {
    if (networkLost === true) {
      this.#logger.error(
        'every check of every service fails at once, and in silence: this director has probably ' +
          'lost its network; the weights stay as they are and its priority is lowered',
      );
    }
    if (networkLost === false) this.#logger.info('some checks get answers again');
    for (const { service, state } of quorums) {
      this.#logger[state === 'lost' ? 'warn' : 'info'](
        { service, quorum: state },
        `the quorum of service ${service} is ${state}`,
      );
    }
    const changed = servers.filter(
      ({ before, after }) =>
        before.state !== after.state || before.operation?.reason !== after.operation?.reason,
    );
    for (const { before, after } of changed.slice(0, changesLoggedMax)) {
      const why = after.operation?.reason ?? after.last?.reason ?? 'no result yet';
      this.#logger[after.state === 'down' ? 'warn' : 'info'](
        {
          check: after.id,
          from: before.state,
          to: after.state,
          reason: after.last?.reason,
          detail: after.last?.detail,
        },
        `server ${after.id} is ${after.state}: ${why}`,
      );
    }
    const left = changed.length - changesLoggedMax;
    if (left > 0) this.#logger.warn({ left }, `${left} more servers changed at the same time`);
  }
}
