/**
 * The composition root of a running director: election, health checks, IPVS, connection sync and
 * the API, started in an order in which a failure leaves nothing half-applied.
 */
import type { PlanDocument, PlanRequest } from '../api/planModel.js';
import {
  type ApiServer,
  type ReloadResult,
  startApiServer,
  startReadingServer,
} from '../api/server.js';
import type { StatusDocument } from '../api/statusModel.js';
import type { TandemConfig } from '../config/model.js';
import type { ConfigReadResult } from '../config/read.js';
import { TandemError } from '../errors.js';
import type { Demotion } from '../vrrp/protocol.js';
import { activeServices } from './activeServices.js';
import { Balancer } from './balancer.js';
import { sessionVerdict } from './bfdSessions.js';
import { readProbes } from './checkFiles.js';
import { ConnectionSync } from './connectionSync.js';
import { CrashGuard } from './crashGuard.js';
import { Election } from './election.js';
import { Failover } from './failover.js';
import { HealthChecks } from './healthChecks.js';
import { Hooks } from './hooks.js';
import { HostSetup } from './hostSetup.js';
import { requireInterfaces } from './interfaces.js';
import type { AgentLog } from './logger.js';
import { callerName, Operating } from './operating.js';
import { Overrides } from './overrides.js';
import { PassiveHints } from './passiveHints.js';
import { configuredPeerKeys, Peering } from './peering.js';
import { electionSteps, planDocument } from './plan.js';
import { refuseFixedChanges, reloadObjections } from './reloadObjections.js';
import { ReloadQueue } from './reloadQueue.js';
import { refuseLargeRemoval } from './removalLimit.js';
import { optimiseAsUsual } from './runtimeFlags.js';
import { buildStatusDocument, type LastReload } from './statusDocument.js';
import { Tracking } from './tracking.js';
import { requireUsers } from './users.js';
import { vrrpConfiguration } from './vrrpConfiguration.js';

/** What a node without its health thread takes off its priority: enough to lose to a sound peer. */
const healthLostDemotionWeight = 50;

/** The vrrp thread reports every second; silent for this long, it is held to be stuck. */
const electionSilenceMaxMs = 5_000;

/** What an agent is made from. */
export interface AgentOptions {
  readonly configPath: string;
  readonly version: string;
  readonly log: AgentLog;
  /** Reads the configuration file anew; throws when it is not valid. */
  readonly readConfig: () => ConfigReadResult;
  /** Judges the text of another file in the same way. */
  readonly readText: (file: string, text: string) => ConfigReadResult;
}

/** A running director. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #election: Election;
  readonly #guard: CrashGuard;
  readonly #failover: Failover;
  readonly #health: HealthChecks;
  readonly #balancer: Balancer;
  readonly #hints: PassiveHints;
  readonly #host: HostSetup;
  readonly #sync: ConnectionSync;
  readonly #tracking: Tracking;
  readonly #hooks: Hooks;
  #healthLost = false;
  #networkLost = false;
  readonly #peering: Peering;
  readonly #overrides: Overrides;
  readonly #operating: Operating;
  readonly #startedUnixMs = Date.now();
  #api: ApiServer | undefined;
  #readingApi: ApiServer | undefined;
  #config: TandemConfig | undefined;
  #loadedUnixMs = 0;
  #lastReload: LastReload | null = null;
  readonly #reloads = new ReloadQueue((force) => this.#reloadOnce(force));
  #stopped: Promise<void> | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { logger } = options.log;
    this.#election = new Election(logger, {
      onReport: () => {
        this.#sync.follow(this.#election.reports, Date.now());
        this.#hooks.takeReports(this.#election.reports);
        this.#takeSessions();
        this.#peering.follow(this.#election.reports);
        this.#failover.takeReports();
        this.#health.follow(activeServices(this.#config, this.#election.reports));
      },
      onTransition: (transition) => this.#hooks.takeTransition(transition),
    });
    this.#guard = new CrashGuard(logger);
    this.#failover = new Failover(this.#election, () => this.#sync.isInSync);
    this.#health = new HealthChecks(logger, {
      onChange: () => {
        this.#balancer.update(this.#health.reports, this.#health.quorums);
        this.#tracking.takeServices(this.#config?.services ?? [], this.#health.reports);
      },
      onThread: (running) => this.#demoteForHealth(running),
      onServiceChanges: (changes) => this.#hooks.takeServiceChanges(changes),
      onNetwork: (lost) => {
        this.#networkLost = lost;
        this.#updateBurdens();
      },
    });
    this.#tracking = new Tracking(logger, () => this.#updateBurdens());
    this.#hooks = new Hooks(logger);
    this.#balancer = new Balancer(logger);
    this.#hints = new PassiveHints(logger, {
      table: () => this.#balancer.table,
      onSuspects: (servers) => this.#health.hint(servers),
    });
    this.#host = new HostSetup(logger);
    this.#sync = new ConnectionSync(logger, {
      attach: (port) => this.#peering.attachData(port),
      onHolds: (holds) => this.#election.setHolds(holds),
      onReport: () => this.#failover.takeReports(),
    });
    this.#peering = new Peering(
      logger,
      { version: options.version, startedUnixMs: this.#startedUnixMs },
      (records) => void this.#overrides.takePeer(records),
      () => this.#sync.connect(),
    );
    this.#overrides = new Overrides(logger, {
      onEffective: async (overrides) => {
        this.#health.setOperatorWeights(
          new Map([...overrides].map(([id, { weight }]) => [id, weight])),
        );
        await this.#balancer.setOverrides(overrides);
      },
      onRecords: (records) => this.#peering.tellOverrides(records),
    });
    this.#operating = new Operating(this.#overrides, this.#balancer);
  }

  /**
   * Starts everything. The API socket comes first, since it is the lock of the node; interfaces and
   * IPVS are looked at before anything is changed; addresses come last, when the table is ready.
   */
  start(loaded: ConfigReadResult): Promise<void> {
    const start = this.#startOnce(loaded).finally(() => this.#warn(loaded.warnings));
    return this.#reloads.follow(start);
  }

  async #startOnce(loaded: ConfigReadResult): Promise<void> {
    const { config } = loaded;
    requireInterfaces(config);
    requireUsers(config);
    const probes = readProbes(config.services);
    const peerKeys = configuredPeerKeys(config);
    this.#api = await startApiServer(config.api.socket, {
      status: () => this.status(),
      reload: (force) => this.reload(force),
      failover: (request) => this.#failover.request(request),
      resync: () => this.#sync.resync(),
      override: (request, descriptor) =>
        this.#operating.override(request, callerName(descriptor, request.user)),
      servers: (request) => this.#operating.servers(request),
      plan: (request) => this.#plan(request),
    });
    const { listen } = config.api;
    if (listen !== undefined) {
      this.#readingApi = await startReadingServer(listen, { status: () => this.status() });
    }
    await this.#balancer.open(config.services.length > 0 || config.connectionSync.mode !== 'off');
    this.#config = config;
    this.#loadedUnixMs = Date.now();
    await this.#overrides.configure(config);
    await this.#balancer.configure(config.services, config.ipvs, this.#health.reports);
    optimiseAsUsual();
    await this.#host.configure(config);
    this.#health.configure(config.services, probes, config.health);
    this.#hints.configure(config.services);
    await this.#sync.configure(config, this.#balancer.table);
    await this.#peering.configure(config, peerKeys);
    this.#configureTracking(config);
    await this.#election.configure(vrrpConfiguration(config));
    this.#configureGuard(config);
    await this.#api.prepare();
    await this.#readingApi?.prepare();
    this.#options.log.logger.info({ node: config.node.name }, this.summary());
  }

  /** One line for the service manager and the log. */
  summary(): string {
    const states = this.#election.reports.map((router) => `${router.name} ${router.state}`);
    const node = this.#config?.node.name ?? '?';
    return states.length === 0 ? `node ${node} runs` : `node ${node}: ${states.join(', ')}`;
  }

  /** Why the agent is not sound, or nothing when it is; the watchdog asks. */
  complaint(): string | undefined {
    if (this.#config === undefined || this.#config.virtualRouters.length === 0) return undefined;
    const silenceMs = this.#election.silenceMs(Date.now());
    if (silenceMs <= electionSilenceMaxMs) return undefined;
    return `the vrrp thread has been silent for ${Math.round(silenceMs / 1000)} s`;
  }

  /** The present status document, with counters that were just read from the kernel. */
  async status(): Promise<StatusDocument> {
    const config = this.#config;
    if (config === undefined) throw new TandemError('AGENT_REFUSED', 'the agent is still starting');
    await this.#balancer.refresh();
    const peerThread = this.#peering.thread;
    const guard = this.#guard.state;
    const syncThread = this.#sync.thread;
    return buildStatusDocument({
      version: this.#options.version,
      configPath: this.#options.configPath,
      config,
      startedUnixMs: this.#startedUnixMs,
      loadedUnixMs: this.#loadedUnixMs,
      nowUnixMs: Date.now(),
      pid: process.pid,
      lastReload: this.#lastReload,
      routers: this.#election.reports,
      bfd: this.#election.sessions,
      trackers: this.#tracking.reports(this.#election.trackers),
      hooks: this.#hooks.snapshot(),
      peer: this.#peering.snapshot(),
      balance: this.#balancer.snapshot(),
      host: this.#host.snapshot(),
      sync: this.#sync.snapshot(this.#host.isSyncGuarded),
      threads: {
        vrrp: this.#election.thread,
        health: {
          restarts: this.#health.restarts,
          running: this.#health.running,
          loads: this.#health.loads,
          hints: this.#hints.given,
          networkLostUnixMs: this.#health.networkLostUnixMs,
        },
        ...(peerThread === undefined ? {} : { peer: peerThread }),
        ...(guard === undefined ? {} : { guard }),
        ...(syncThread === undefined ? {} : { sync: syncThread }),
      },
    });
  }

  /**
   * Loads the configuration file again and applies the differences, when the start and reloads
   * before this one are over. A file that is not valid, or that the kernel refuses, changes
   * nothing; what refused it is thrown and kept for the status.
   */
  reload(force = false): Promise<ReloadResult> {
    return this.#reloads.request(force);
  }

  /** Undoes what a start that failed has done so far, and stops. */
  async abandonStart(): Promise<void> {
    await this.#election.stop();
    await this.#balancer.undo();
    await this.stop();
  }

  /** Priority 0, addresses off, checks ended, IPVS kept or removed as configured, socket closed. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopOnce();
    return this.#stopped;
  }

  async #reloadOnce(force: boolean): Promise<ReloadResult> {
    const { logger } = this.#options.log;
    try {
      const result = await this.#applyReload(this.#options.readConfig(), force);
      this.#lastReload = { atUnixMs: Date.now(), ok: true, message: result.message };
      logger.info(result.message);
      return result;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#lastReload = { atUnixMs: Date.now(), ok: false, message };
      logger.error({ err: error }, 'the reload was refused; the old configuration goes on');
      throw error;
    }
  }

  async #applyReload(loaded: ConfigReadResult, force: boolean): Promise<ReloadResult> {
    const before = this.#config;
    const after = loaded.config;
    if (before === undefined) throw new TandemError('AGENT_REFUSED', 'the agent is still starting');
    refuseFixedChanges(before, after);
    if (!force) {
      refuseLargeRemoval(before.services, after.services, before.reload.maxRemovedShare);
    }
    requireInterfaces(after);
    requireUsers(after);
    const probes = readProbes(after.services);
    const peerKeys = configuredPeerKeys(after);
    await this.#balancer.open(after.services.length > 0 || after.connectionSync.mode !== 'off');
    // The election goes first because it is the one part that can refuse.
    await this.#election.configure(vrrpConfiguration(after));
    this.#configureGuard(after);
    this.#config = after;
    this.#loadedUnixMs = Date.now();
    this.#options.log.logger.level = after.log.level;
    this.#health.configure(after.services, probes, after.health);
    this.#hints.configure(after.services);
    await this.#overrides.configure(after);
    await this.#balancer.configure(after.services, after.ipvs, this.#health.reports);
    await this.#host.configure(after);
    await this.#sync.configure(after, this.#balancer.table);
    await this.#peering.configure(after, peerKeys);
    this.#configureTracking(after);
    this.#warn(loaded.warnings);
    const { virtualRouters, services } = after;
    const counts = `${virtualRouters.length} virtual routers, ${services.length} services`;
    return {
      message: `reloaded ${this.#options.configPath}: ${counts}`,
      warnings: loaded.warnings,
    };
  }

  /** What loading a file would do. Throws what is wrong with the file. */
  async #plan({ file, text }: PlanRequest): Promise<PlanDocument> {
    const before = this.#config;
    if (before === undefined) throw new TandemError('AGENT_REFUSED', 'the agent is still starting');
    const { config, warnings } = this.#options.readText(file, text);
    return planDocument({
      file,
      against: 'agent',
      vrrp: electionSteps(before, config),
      operations: await this.#balancer.plan(config.services),
      notes: reloadObjections(before, config),
      warnings,
    });
  }

  async #stopOnce(): Promise<void> {
    // The peer takes over while the rest is still being put away.
    await this.#election.stop();
    this.#guard.dismiss();
    await this.#peering.stop();
    this.#overrides.stop();
    this.#tracking.stop();
    await this.#hooks.stop();
    this.#hints.stop();
    await this.#health.stop();
    await this.#sync.stop();
    await this.#host.stop(this.#config?.ipvs.onStop ?? 'keep');
    await this.#balancer.stop(this.#config?.ipvs.onStop ?? 'keep');
    await this.#readingApi?.close();
    await this.#api?.close();
  }

  #configureGuard(config: TandemConfig): void {
    this.#guard.configure({
      enabled: config.guard.enabled,
      election: vrrpConfiguration(config),
      socketPath: config.api.socket,
    });
  }

  #demoteForHealth(running: boolean): void {
    this.#healthLost = !running;
    this.#updateBurdens();
  }

  #configureTracking(config: TandemConfig): void {
    this.#hooks.configure(config);
    this.#tracking.configure(config.trackers);
    this.#tracking.takeServices(config.services, this.#health.reports);
    this.#updateBurdens();
  }

  #takeSessions(): void {
    this.#health.takeSessions(this.#election.sessions);
    for (const report of this.#election.sessions) {
      const { up, detail } = sessionVerdict(report);
      this.#tracking.takeBfdSession(report.name, up, detail);
    }
  }

  #updateBurdens(): void {
    const { demotions, faults } = this.#tracking.burdens;
    const own: Demotion[] = [];
    if (this.#healthLost) {
      own.push({ reason: 'health-thread-lost', weight: healthLostDemotionWeight });
    }
    const networkWeight = this.#config?.health.demotion ?? 0;
    if (this.#networkLost && networkWeight > 0) {
      own.push({ reason: 'checks-network-lost', weight: networkWeight });
    }
    this.#election.setBurdens({ demotions: [...demotions, ...own], faults });
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#options.log.logger.warn(`configuration: ${warning}`);
  }
}
