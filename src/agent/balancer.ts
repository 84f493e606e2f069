/**
 * The main thread's hold on IPVS: opens the kernel's table, hands configuration and verdicts to the
 * reconciler, and puts the table away at the end.
 */
import type { IpvsStatus, ServiceStatus } from '../api/statusModel.js';
import type { ServiceConfig, TandemConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import type { ServerHealth } from '../health/healthBoard.js';
import type { QuorumVerdict } from '../health/quorum.js';
import type { ServerId } from '../ipvs/desired.js';
import type { ServerOverride } from '../ipvs/overrides.js';
import { Reconciler } from '../ipvs/reconciler.js';
import { machineClock, type ReconcileRun } from '../ipvs/reconcilerModel.js';
import { type IpvsTable, openIpvsTable } from '../kernel/ipvsTable.js';
import { readSysctl } from '../kernel/sysctl.js';
import type { IpvsOperation } from '../wire/ipvsModel.js';
import { formatServiceIdentity } from '../wire/ipvsText.js';
import type { AgentLogger } from './logger.js';

/** A status younger than this is not read from the kernel again, in milliseconds. */
const statusAgeMaxMs = 500;

/** Whether IPVS forgets which server a client had when that server has weight 0. */
const templateSetting = 'net.ipv4.vs.expire_quiescent_template';

/** What the status document says of IPVS and the services. */
export interface BalanceSnapshot {
  readonly ipvs: IpvsStatus;
  readonly services: readonly ServiceStatus[];
}

/** IPVS on this node. */
export class Balancer {
  readonly #logger: AgentLogger;
  #table: IpvsTable | undefined;
  #reconciler: Reconciler | undefined;
  #services: readonly ServiceConfig[] = [];
  #overrides: ReadonlyMap<ServerId, ServerOverride> = new Map();
  /** Services that were in the kernel before this agent; a start that fails leaves them. */
  #presentBefore: ReadonlySet<string> = new Set();

  constructor(logger: AgentLogger) {
    this.#logger = logger.child({ part: 'ipvs' });
  }

  /** The kernel's table, when the configuration needed it. */
  get table(): IpvsTable | undefined {
    return this.#table;
  }

  /**
   * Opens the kernel's table when the configuration needs it and it is not open yet.
   * Throws `IPVS_UNAVAILABLE` or `PERMISSION` before anything has been changed.
   */
  async open(needed: boolean): Promise<void> {
    if (!needed || this.#table !== undefined) return;
    const table = await openIpvsTable();
    this.#table = table;
    const services = await table.services();
    this.#presentBefore = new Set(services.map(({ identity }) => formatServiceIdentity(identity)));
  }

  /** Makes the kernel's table as configured. What it refuses is logged and in the status. */
  async configure(
    services: readonly ServiceConfig[],
    settings: TandemConfig['ipvs'],
    checks: ReadonlyMap<string, ServerHealth>,
  ): Promise<void> {
    this.#services = services;
    if (this.#table === undefined) return;
    if (this.#reconciler === undefined) {
      this.#reconciler = new Reconciler({
        table: this.#table,
        clock: machineClock,
        auditIntervalMs: settings.auditIntervalMs,
        onRun: (run) => this.#logRun(run),
      });
      await this.#reconciler.setOverrides(this.#overrides);
    }
    await this.#reconciler.configure(services, [...checks.values()], settings.auditIntervalMs);
    this.#warnOfTemplates(services);
  }

  /** Takes in new verdicts. */
  update(
    checks: ReadonlyMap<string, ServerHealth>,
    quorums: ReadonlyMap<string, QuorumVerdict>,
  ): void {
    this.#reconciler?.update([...checks.values()], quorums);
  }

  /** Takes what operators have set, and waits until the kernel has been told. */
  async setOverrides(overrides: ReadonlyMap<ServerId, ServerOverride>): Promise<void> {
    this.#overrides = overrides;
    await this.#reconciler?.setOverrides(overrides);
  }

  /** The IPVS operations that {@link configure} with these services would send now. */
  async plan(services: readonly ServiceConfig[]): Promise<readonly IpvsOperation[]> {
    const table = this.#table ?? (await openIpvsTable());
    try {
      if (this.#reconciler !== undefined) return await this.#reconciler.plan(services);
      return await planFromNothing(table, services, this.#overrides);
    } finally {
      if (this.#table === undefined) table.close();
    }
  }

  /** Reads counters and weights anew, unless that was done a moment ago. */
  async refresh(): Promise<void> {
    await this.#reconciler?.refresh(statusAgeMaxMs);
  }

  /** What the status document says. */
  snapshot(): BalanceSnapshot {
    return {
      ipvs: this.#reconciler?.status() ?? closedStatus,
      services: this.#reconciler?.serviceStatuses() ?? [],
    };
  }

  /** Takes out what a start that failed has put in. */
  async undo(): Promise<void> {
    const table = this.#table;
    if (table === undefined) return;
    await this.#reconciler?.stop();
    const added = this.#services
      .flatMap((service) => service.listeners)
      .filter((listener) => !this.#presentBefore.has(formatServiceIdentity(listener)));
    // Services that were never added are refused, which is what was wanted.
    await table.apply(added.map((service) => ({ kind: 'delete-service', service })));
  }

  /** Ends the audits; the kernel keeps its table unless the configuration says otherwise. */
  async stop(onStop: TandemConfig['ipvs']['onStop']): Promise<void> {
    if (onStop === 'remove') await this.#reconciler?.withdraw();
    await this.#reconciler?.stop();
    this.#table?.close();
    this.#table = undefined;
  }

  /** Weight 0 alone does not keep persistent clients away from a server that failed. */
  #warnOfTemplates(services: readonly ServiceConfig[]): void {
    const persistent = services.filter(
      (service) =>
        service.settings.persistence !== undefined &&
        checksOf(service).length > 0 &&
        service.whenDown === 'weight-zero',
    );
    if (persistent.length === 0 || templatesExpire()) return;
    this.#logger.warn(
      { services: persistent.map(({ name }) => name) },
      `${templateSetting} is 0: persistent clients of a failed server are still sent to it; ` +
        'set it to 1, or use `whenDown: remove`',
    );
  }

  #logRun(run: ReconcileRun): void {
    for (const error of run.errors) {
      this.#logger.error({ code: error.code, hint: error.hint }, error.message);
    }
    if (run.operations.length === 0) return;
    // An audit that finds something means that somebody else changed the table.
    this.#logger[run.trigger === 'audit' ? 'warn' : 'info'](
      { trigger: run.trigger, operations: run.operations.length, durationMs: run.durationMs },
      `sent ${run.operations.length} IPVS operations (${run.trigger})`,
    );
  }
}

/** What an agent that starts now would send to a table. */
export async function planFromNothing(
  table: IpvsTable,
  services: readonly ServiceConfig[],
  overrides: ReadonlyMap<ServerId, ServerOverride>,
): Promise<readonly IpvsOperation[]> {
  const reconciler = new Reconciler({ table, clock: machineClock, auditIntervalMs: 0 });
  await reconciler.setOverrides(overrides);
  return reconciler.plan(services);
}

const closedStatus: IpvsStatus = {
  available: false,
  lastAuditUnixMs: null,
  lastOperations: 0,
  operationsTotal: 0,
  errorsTotal: 0,
  lastError: null,
  foreignServices: 0,
};

/**
 * Whether a persistent client of a server with weight 0 goes to another one. A kernel that does not
 * show the setting says nothing about it, so nothing is said here.
 */
export function templatesExpire(): boolean {
  try {
    return readSysctl(templateSetting) !== '0';
  } catch {
    return true;
  }
}
