/**
 * Keeps the kernel's IPVS table as the configuration and the checks say: at the start, at every
 * change, and by an audit from time to time, because the kernel tells nobody when another program
 * changes the table.
 */
import type { IpvsStatus, ServiceStatus } from '../api/statusModel.js';
import type { ServiceConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import type { ServerHealth } from '../health/healthBoard.js';
import type { QuorumVerdict } from '../health/quorum.js';
import type { IpvsOperation } from '../wire/ipvsModel.js';
import { formatServiceIdentity } from '../wire/ipvsText.js';
import { Adoption } from './adoption.js';
import { applyOperations } from './applyOperations.js';
import {
  changedByOperators,
  changedInPlace,
  serviceKeys,
  weighsDifferently,
} from './changedServices.js';
import { Decided } from './decided.js';
import { type DesiredTable, desiredTable, type ServerId, serviceNameOf } from './desired.js';
import { diffTables } from './diff.js';
import type { ServerOverride } from './overrides.js';
import type {
  ReconcileRun,
  ReconcilerClock,
  ReconcilerOptions,
  ReconcilerTable,
  ReconcileTrigger,
} from './reconcilerModel.js';
import { serviceStatuses } from './status.js';
import {
  byServiceKey,
  type ListedTableService,
  type ServiceKey,
  type TableService,
} from './table.js';

/** Drives the kernel's table. One comparison runs at a time; changes meanwhile make one more. */
export class Reconciler {
  readonly #table: ReconcilerTable;
  readonly #clock: ReconcilerClock;
  readonly #onRun: (run: ReconcileRun) => void;
  #auditIntervalMs: number;
  #services: readonly ServiceConfig[] = [];
  #checks: ReadonlyMap<ServerId, ServerHealth> = new Map();
  #quorums: ReadonlyMap<string, QuorumVerdict> = new Map();
  #overrides: ReadonlyMap<ServerId, ServerOverride> = new Map();
  readonly #decided = new Decided();
  #actual: readonly ListedTableService[] = [];
  /** Services that were ours until a reload and are still to be deleted. */
  readonly #retired = new Set<ServiceKey>();
  readonly #adoption = new Adoption();
  #wanted: ReconcileTrigger | undefined;
  /** Whether the next comparison looks at everything, or only at what verdicts have changed. */
  #wantsAll = true;
  /** Names of the services that verdicts or operators have changed since the last comparison. */
  #changedServices = new Set<string>();
  /** Names of those that the last reload gave other servers or settings, and no other listeners. */
  #changedInPlace: ReadonlySet<string> = new Set();
  #active: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #cancelAudit: (() => void) | undefined;
  #configured = false;
  #stopped = false;
  #runs = 0;
  #lastReadUnixMs = 0;
  #status: IpvsStatus = {
    available: true,
    lastAuditUnixMs: null,
    lastOperations: 0,
    operationsTotal: 0,
    errorsTotal: 0,
    lastError: null,
    foreignServices: 0,
  };

  constructor(options: ReconcilerOptions) {
    this.#table = options.table;
    this.#clock = options.clock;
    this.#auditIntervalMs = options.auditIntervalMs;
    this.#onRun = options.onRun ?? (() => undefined);
  }

  /**
   * Sets the configured services, at the start and at each reload, and waits until the kernel has
   * been told. Services that are configured no longer are deleted. Errors are in the status.
   */
  async configure(
    services: readonly ServiceConfig[],
    checks: readonly ServerHealth[] = [],
    auditIntervalMs: number = this.#auditIntervalMs,
  ): Promise<void> {
    const before = serviceKeys(this.#services);
    const after = serviceKeys(services);
    for (const key of before) if (!after.has(key)) this.#retired.add(key);
    for (const key of after) this.#retired.delete(key);
    this.#changedInPlace = changedInPlace(this.#services, services);
    this.#services = services;
    this.#checks = new Map(checks.map((check) => [check.id, check]));
    this.#auditIntervalMs = auditIntervalMs;
    this.#adoption.retain(services);
    const first = !this.#configured;
    this.#configured = true;
    await this.#request(first ? 'start' : 'change');
  }

  /** Takes in what the checks say now, all of it; the kernel is told if that changes a weight. */
  update(
    checks: readonly ServerHealth[],
    quorums: ReadonlyMap<string, QuorumVerdict> = this.#quorums,
  ): void {
    const before = this.#checks;
    const changed = this.#changedServices;
    for (const [name, { state }] of quorums) {
      if (this.#quorums.get(name)?.state !== state) changed.add(name);
    }
    for (const check of checks) {
      if (weighsDifferently(before.get(check.id), check)) changed.add(serviceNameOf(check.id));
    }
    this.#checks = new Map(checks.map((check) => [check.id, check]));
    this.#quorums = quorums;
    if (!this.#configured) return;
    if (before.size !== this.#checks.size) void this.#request('change');
    else if (changed.size > 0) void this.#request('change', false);
  }

  /** Sets what operators have set, all of it, and waits until the kernel has been told. */
  async setOverrides(overrides: ReadonlyMap<ServerId, ServerOverride>): Promise<void> {
    const changed = changedByOperators(this.#overrides, overrides);
    this.#overrides = overrides;
    for (const name of changed) this.#changedServices.add(name);
    if (this.#configured && changed.size > 0) await this.#request('change', false);
  }

  /** What {@link configure} would send for these services now. Changes nothing. */
  async plan(services: readonly ServiceConfig[]): Promise<readonly IpvsOperation[]> {
    const actual = await this.#readTable([...this.#services, ...services]);
    const adoption = this.#adoption.copy();
    adoption.learn(services, actual);
    const after = serviceKeys(services);
    const ours = [...serviceKeys(this.#services), ...this.#retired];
    const retired = new Set(ours.filter((key) => !after.has(key)));
    const desired = this.#desired(services, adoption);
    return diffTables(desired.services, actual, retired).operations;
  }

  /** Compares now, and resolves when that is done. */
  audit(): Promise<void> {
    return this.#request('audit');
  }

  /** Resolves when nothing is under way and nothing is wanted. */
  async settled(): Promise<void> {
    while (this.#active !== undefined) await this.#active;
  }

  /** Deletes our services from the kernel, for a stop that shall leave nothing behind. */
  async withdraw(): Promise<void> {
    for (const key of serviceKeys(this.#services)) this.#retired.add(key);
    this.#services = [];
    await this.#request('withdraw');
  }

  /** Ends the audits and waits for what is under way. The kernel's table stays as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wanted = undefined;
    this.#cancelAudit?.();
    await this.settled();
  }

  /** Reads counters and weights anew for the status, unless they are younger than `maxAgeMs`. */
  async refresh(maxAgeMs = 1_000): Promise<void> {
    if (this.#active !== undefined) return this.#active;
    if (this.#clock.nowUnixMs() - this.#lastReadUnixMs < maxAgeMs) return;
    this.#refreshing ??= this.#readForStatus().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** How the last comparison went, and what was counted since the start. */
  status(): IpvsStatus {
    return this.#status;
  }

  /** Every configured service with what is wanted and what the kernel has. */
  serviceStatuses(): readonly ServiceStatus[] {
    return serviceStatuses({
      services: this.#services,
      decisions: this.#decided.decisions,
      actual: this.#actual,
      checks: this.#checks,
      quorums: this.#quorums,
      sorry: this.#decided.sorry,
      overrides: this.#overrides,
    });
  }

  #desired(services: readonly ServiceConfig[], adoption: Adoption): DesiredTable {
    return desiredTable({
      services,
      health: this.#checks,
      adoptedWeights: adoption.weights,
      previous: this.#decided.decisions,
      quorums: this.#quorums,
      overrides: this.#overrides,
    });
  }

  /** @param all whether the whole table is to be compared, and not only what has changed */
  #request(trigger: ReconcileTrigger, all = true): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#wantsAll ||= all;
    if (this.#wanted === undefined || this.#wanted === 'audit') this.#wanted = trigger;
    if (trigger === 'withdraw') this.#wanted = trigger;
    this.#active ??= this.#drain();
    return this.#active;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#wanted !== undefined) {
        const trigger = this.#wanted;
        this.#wanted = undefined;
        await this.#run(trigger);
      }
    } finally {
      // In the same turn in which the loop saw that nothing is wanted, so that no wish is lost.
      this.#active = undefined;
      this.#armAudit();
    }
  }

  #armAudit(): void {
    this.#cancelAudit?.();
    if (this.#stopped) return;
    this.#cancelAudit = this.#clock.schedule(
      () => void this.#request('audit'),
      this.#auditIntervalMs,
    );
  }

  async #run(trigger: ReconcileTrigger): Promise<void> {
    const startedUnixMs = this.#clock.nowUnixMs();
    this.#runs += 1;
    // A reload while the kernel is being asked belongs to the comparison after this one.
    const sent: IpvsOperation[] = [];
    const errors: TandemError[] = [];
    let foreignServices = this.#status.foreignServices;
    let available = true;
    const compareAll = this.#wantsAll;
    const changedServices = this.#changedServices;
    const changedByReload = this.#changedInPlace;
    this.#changedServices = new Set();
    this.#changedInPlace = new Set();
    // Whatever goes wrong below, the next comparison looks at everything.
    this.#wantsAll = true;
    try {
      // What a reload changes need not wait until everything was listed. What is refused here is
      // refused again below, and told then.
      const isSound = trigger === 'change' && this.#status.lastError === null;
      if (isSound) await this.#compareChanged(changedByReload, sent, []);
      if (compareAll) foreignServices = await this.#compareAll(sent, errors);
      else await this.#compareChanged(changedServices, sent, errors);
      this.#wantsAll = errors.length > 0;
      // The table is not what it was; the whole of it is looked at once.
      if (!compareAll && errors.length > 0) this.#wanted ??= 'change';
    } catch (error) {
      const known = toTandemError(error);
      available = known.code !== 'IPVS_UNAVAILABLE' && known.code !== 'PERMISSION';
      errors.push(known);
    }
    const now = this.#clock.nowUnixMs();
    this.#status = {
      available,
      lastAuditUnixMs: now,
      lastOperations: sent.length,
      operationsTotal: this.#status.operationsTotal + sent.length,
      errorsTotal: this.#status.errorsTotal + errors.length,
      lastError: errors.at(-1)?.message ?? null,
      foreignServices,
    };
    this.#onRun({ trigger, operations: sent, errors, durationMs: now - startedUnixMs });
  }

  /** Compares the whole table. Gives the number of services that are not ours. */
  async #compareAll(sent: IpvsOperation[], errors: TandemError[]): Promise<number> {
    // A reload while the kernel is being asked belongs to the comparison after this one.
    const services = this.#services;
    const actual = await this.#readTable(services);
    this.#actual = actual;
    this.#adoption.learn(services, actual);
    const desired = this.#desired(services, this.#adoption);
    this.#decided.replace(desired);
    const difference = diffTables(desired.services, actual, this.#retired);
    await applyOperations(this.#table, difference.operations, sent, errors);
    if (difference.operations.length > 0) this.#actual = await this.#readTable(services);
    this.#forgetDeleted();
    this.#decided.settle(desired.services);
    return difference.foreignServices;
  }

  /**
   * Compares the services that new verdicts have changed, and leaves the others to the audit: of
   * thousands of servers a death must not wait until all of them were listed. Nor do weights wait
   * for a listing of their own service: they are told by what the kernel had when it was last
   * asked. What is refused then, or was wrong, comes out in the comparison that follows.
   */
  async #compareChanged(
    names: ReadonlySet<string>,
    sent: IpvsOperation[],
    errors: TandemError[],
  ): Promise<void> {
    const services = this.#services.filter(({ name }) => names.has(name));
    const desired = this.#desired(services, this.#adoption);
    this.#decided.take(services, desired);
    const changed = desired.services.filter((entry) => this.#decided.isNews(entry));
    if (changed.length === 0) return;
    const foreseen = diffTables(changed, this.#known(changed), new Set()).operations;
    const isWeights = foreseen.every(({ kind }) => kind === 'edit-server');
    if (isWeights) await applyOperations(this.#table, foreseen, sent, []);
    let actual = await this.#readServersOf(changed);
    const { operations } = diffTables(changed, actual, new Set());
    await applyOperations(this.#table, operations, sent, errors);
    if (operations.length > 0) actual = await this.#readServersOf(changed);
    const known = byServiceKey(actual);
    this.#actual = this.#actual.map(
      (entry) => known.get(formatServiceIdentity(entry.service.identity)) ?? entry,
    );
    this.#decided.settle(changed);
  }

  /** Those services as the kernel had them when it was last asked. */
  #known(services: readonly TableService[]): readonly ListedTableService[] {
    const wanted = new Set(services.map(({ service }) => formatServiceIdentity(service.identity)));
    return this.#actual.filter(({ service }) =>
      wanted.has(formatServiceIdentity(service.identity)),
    );
  }

  /** What the kernel has of services that were there when it was last asked. */
  #readServersOf(services: readonly TableService[]): Promise<readonly ListedTableService[]> {
    return Promise.all(
      this.#known(services).map(async ({ service }) => ({
        service,
        servers: await this.#table.servers(service.identity),
      })),
    );
  }

  /** All services of the kernel, and the servers of those that are ours. */
  async #readTable(services: readonly ServiceConfig[]): Promise<readonly ListedTableService[]> {
    const ours = serviceKeys(services);
    const table: ListedTableService[] = [];
    for (const service of await this.#table.services()) {
      const isOurs = ours.has(formatServiceIdentity(service.identity));
      const servers = isOurs ? await this.#table.servers(service.identity) : [];
      table.push({ service, servers });
    }
    this.#lastReadUnixMs = this.#clock.nowUnixMs();
    return table;
  }

  async #readForStatus(): Promise<void> {
    const runs = this.#runs;
    try {
      const table = await this.#readTable(this.#services);
      // A comparison that began meanwhile knows better than this reading.
      if (runs === this.#runs) this.#actual = table;
    } catch (error) {
      this.#status = { ...this.#status, lastError: toTandemError(error).message };
    }
  }

  /** A service that is gone is nobody's: whoever adds it again owns it. */
  #forgetDeleted(): void {
    const present = byServiceKey(this.#actual);
    for (const key of this.#retired) if (!present.has(key)) this.#retired.delete(key);
  }
}

function toTandemError(error: unknown): TandemError {
  if (error instanceof TandemError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TandemError('INTERNAL', message, { cause: error });
}
