/**
 * Calls the operator's programs when a virtual router or a sync group changes its state: in order,
 * one at a time for each, for a bounded time, and with the outcome in the status.
 */
import type { HookStatus } from '../api/statusModel.js';
import type { HookSpec, TandemConfig } from '../config/model.js';
import { printable } from '../health/probes/printable.js';
import { type CommandResult, type RunningCommand, startCommand } from '../kernel/childProcess.js';
import { commandEnvironment, commandUser } from '../kernel/commandUser.js';
import type { SyncGroupSpec, VirtualRouterReport } from '../vrrp/protocol.js';
import type { VirtualRouterState } from '../vrrp/reasons.js';
import {
  groupState,
  type HookChange,
  type HookJob,
  type HookNode,
  hookCommand,
  hookEnvironment,
  hookJobs,
  type RouterTransition,
} from './hookJobs.js';
import { emptyHookQueue, enqueue, finish, type HookQueue, startNext } from './hookQueue.js';
import type { AgentLogger } from './logger.js';
import type { ServiceChange } from './serviceHooks.js';

/** How long a stop waits for the hooks that it has called itself, in milliseconds. */
export const stopWaitMaxMs = 5_000;

interface HookCounters {
  runs: number;
  failures: number;
  dropped: number;
  last: HookStatus['last'];
}

/** The hooks of this node. */
export class Hooks {
  readonly #logger: AgentLogger;
  #node: HookNode = { cluster: '', node: '' };
  #hooks: readonly HookSpec[] = [];
  #groups: readonly SyncGroupSpec[] = [];
  #queue: HookQueue<HookJob> = emptyHookQueue;
  #sequence = 0;
  readonly #counters = new Map<string, HookCounters>();
  readonly #commands = new Set<RunningCommand>();
  /** Transitions whose report has not come yet. */
  #untold: RouterTransition[] = [];
  readonly #reports = new Map<string, VirtualRouterReport>();
  readonly #states = new Map<string, VirtualRouterState>();
  readonly #groupStates = new Map<string, VirtualRouterState>();
  #onIdle: (() => void) | undefined;

  constructor(logger: AgentLogger) {
    this.#logger = logger.child({ part: 'hooks' });
  }

  /** Takes over the hooks of a configuration. What is queued goes on as it was. */
  configure(config: TandemConfig): void {
    this.#node = { cluster: config.cluster, node: config.node.name };
    this.#hooks = config.hooks;
    this.#groups = config.syncGroups;
    const names = new Set(config.hooks.map(({ name }) => name));
    for (const name of this.#counters.keys()) if (!names.has(name)) this.#counters.delete(name);
    const groups = new Set(config.syncGroups.map(({ name }) => name));
    for (const name of this.#groupStates.keys()) {
      if (!groups.has(name)) this.#groupStates.delete(name);
    }
  }

  /** A router changed its state. The hooks wait for the report of the same turn. */
  takeTransition(transition: RouterTransition): void {
    this.#untold.push(transition);
  }

  /** The reports that belong to the transitions told before. */
  takeReports(reports: readonly VirtualRouterReport[]): void {
    // A router that is gone keeps its last report, for the hooks of its end.
    for (const report of reports) this.#reports.set(report.name, report);
    const untold = this.#untold;
    this.#untold = [];
    for (const transition of untold) this.#call(transition);
    this.#pump();
    if (untold.length === 0) return;
    const present = new Set(reports.map(({ name }) => name));
    for (const name of this.#reports.keys()) {
      if (!present.has(name)) {
        this.#reports.delete(name);
        this.#states.delete(name);
      }
    }
  }

  /** What the checks have found. */
  takeServiceChanges(changes: readonly ServiceChange[]): void {
    for (const change of changes) this.#enqueueAll(change);
    if (changes.length > 0) this.#pump();
  }

  /** What the status document says. */
  snapshot(): readonly HookStatus[] {
    const count = (jobs: readonly HookJob[], name: string): number =>
      jobs.filter(({ hook }) => hook.name === name).length;
    return this.#hooks.map(({ name }) => ({
      name,
      running: count(this.#queue.running, name),
      waiting: count(this.#queue.waiting, name),
      ...this.#countersOf(name),
    }));
  }

  /** Waits for what is queued, at most {@link stopWaitMaxMs}, then ends what still runs. */
  async stop(): Promise<void> {
    this.takeReports([]);
    if (!this.#isIdle) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, stopWaitMaxMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const left = this.#queue.running.length + this.#queue.waiting.length;
    this.#queue = { ...this.#queue, waiting: [] };
    if (left > 0) this.#logger.warn({ left }, `the stop does not wait for ${left} more hooks`);
    for (const command of this.#commands) command.end();
  }

  get #isIdle(): boolean {
    return this.#queue.running.length === 0 && this.#queue.waiting.length === 0;
  }

  #call(transition: RouterTransition): void {
    const { router, to, ...rest } = transition;
    const report = this.#reports.get(router);
    this.#states.set(router, to);
    const details = report === undefined ? {} : { report };
    this.#enqueueAll({ kind: 'router', name: router, to, ...rest, ...details });
    for (const group of this.#groups) {
      if (!group.members.includes(router)) continue;
      const before = this.#groupStates.get(group.name) ?? 'initialize';
      const after = groupState(group, this.#states);
      if (after === undefined || after === before) continue;
      this.#groupStates.set(group.name, after);
      this.#enqueueAll({ ...rest, kind: 'group', name: group.name, from: before, to: after });
    }
  }

  #enqueueAll(change: HookChange | ServiceChange): void {
    this.#sequence += 1;
    for (const job of hookJobs(this.#hooks, change, this.#sequence)) {
      const { queue, dropped } = enqueue(this.#queue, job);
      this.#queue = queue;
      if (dropped === undefined) continue;
      this.#countersOf(dropped.hook.name).dropped += 1;
      this.#logger.warn({ hook: dropped.hook.name, target: dropped.target }, 'dropped a hook');
    }
  }

  #pump(): void {
    const { queue, started } = startNext(this.#queue);
    this.#queue = queue;
    for (const job of started) void this.#run(job);
  }

  async #run(job: HookJob): Promise<void> {
    const startedUnixMs = Date.now();
    const result = await this.#runCommand(job);
    this.#queue = finish(this.#queue, job);
    this.#note(job, startedUnixMs, result);
    this.#pump();
    if (this.#isIdle) this.#onIdle?.();
  }

  async #runCommand(job: HookJob): Promise<CommandResult> {
    try {
      const user = commandUser(job.hook.user, undefined);
      const command = startCommand({
        command: hookCommand(job),
        environment: { ...commandEnvironment, ...hookEnvironment(job, this.#node) },
        timeoutMs: job.hook.timeoutMs,
        ...(user === undefined ? {} : { user }),
      });
      this.#commands.add(command);
      const result = await command.finished;
      this.#commands.delete(command);
      return result;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const end = { kind: 'not-started', message, exhausted: false } as const;
      return { end, output: '', durationMs: 0 };
    }
  }

  #note(job: HookJob, startedUnixMs: number, { end, output, durationMs }: CommandResult): void {
    const { hook, target, change } = job;
    const counters = this.#countersOf(hook.name);
    const succeeded = end.kind === 'exited' && end.code === 0;
    counters.runs += 1;
    if (!succeeded) counters.failures += 1;
    const said = end.kind === 'not-started' ? end.message : output;
    counters.last = {
      target,
      state: change.to,
      outcome: end.kind,
      exitCode: end.kind === 'exited' ? end.code : null,
      detail: printable(said),
      startedUnixMs,
      durationMs,
    };
    const outcome = end.kind === 'exited' ? `status ${end.code}` : end.kind;
    this.#logger[succeeded ? 'info' : 'warn'](
      { hook: hook.name, target, state: change.to, durationMs, detail: counters.last.detail },
      `hook ${hook.name} for ${target}, ${change.to}: ${outcome}`,
    );
  }

  #countersOf(name: string): HookCounters {
    let counters = this.#counters.get(name);
    if (counters === undefined) {
      counters = { runs: 0, failures: 0, dropped: 0, last: null };
      this.#counters.set(name, counters);
    }
    return counters;
  }
}
