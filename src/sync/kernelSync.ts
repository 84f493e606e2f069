/**
 * The kernel's own daemons of connection synchronisation. With `connectionSync.mode: kernel` the
 * master daemon runs where the virtual addresses are and the backup daemon on the other director;
 * the relay has both on `lo`.
 */
import type { ConnectionSyncConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import type { IpvsTable } from '../kernel/ipvsTable.js';
import type { SyncDaemon } from '../wire/ipvsModel.js';
import {
  type DaemonAction,
  decideDaemons,
  type SyncRole,
  sameDaemon,
  wantedDaemons,
} from './daemonDecision.js';

/** What the synchronisation needs of the kernel. */
export type SyncDaemonTable = Pick<IpvsTable, 'daemons' | 'startDaemon' | 'stopDaemon'>;

/** What a synchronisation is made from. */
export interface KernelSyncOptions {
  readonly table: SyncDaemonTable;
  readonly config: ConnectionSyncConfig;
  /** Told of every daemon that was started or stopped, for the log. */
  readonly onAction?: (action: DaemonAction) => void;
  /** Told of everything that failed, for the log. */
  readonly onError?: (error: TandemError) => void;
}

/** How the synchronisation stands; part of the status document. */
export interface KernelSyncStatus {
  readonly mode: ConnectionSyncConfig['mode'];
  /** The daemons that ran at the last look. */
  readonly daemons: readonly SyncDaemon[];
  /** Why the last look or change failed; `null` when it did not. */
  readonly lastError: string | null;
}

/** Makes the kernel's daemons follow the election. Calls are carried out one after the other. */
export class KernelSync {
  readonly #options: KernelSyncOptions;
  #config: ConnectionSyncConfig;
  #role: SyncRole | undefined;
  #tail: Promise<void> = Promise.resolve();
  /** The daemons that run for this agent: it started them, or found them just as configured. */
  #own: readonly SyncDaemon[] = [];
  #daemons: readonly SyncDaemon[] = [];
  #lastError: string | null = null;

  constructor(options: KernelSyncOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** Tells what this director is now. Resolves when the daemons have been told. */
  setRole(role: SyncRole): Promise<void> {
    this.#role = role;
    return this.audit();
  }

  /** Sets the configuration after a reload; turned off, a daemon of this agent is stopped. */
  configure(config: ConnectionSyncConfig): Promise<void> {
    this.#config = config;
    return this.audit();
  }

  /** Looks whether the right daemon runs and mends it; to be called from time to time. */
  audit(): Promise<void> {
    return this.#enqueue(() => this.#follow());
  }

  /** Stops the daemon of this agent, for good. Others are left alone. */
  stop(): Promise<void> {
    this.#role = undefined;
    return this.#enqueue(() => this.#stopOwn());
  }

  /** How it stands. */
  status(): KernelSyncStatus {
    return { mode: this.#config.mode, daemons: this.#daemons, lastError: this.#lastError };
  }

  /** The failures of a step are in the status and told to `onError`; the next audit tries again. */
  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      this.#lastError = null;
      try {
        await step();
      } catch (error) {
        this.#failed(error);
      }
    });
    return this.#tail;
  }

  async #follow(): Promise<void> {
    const { table } = this.#options;
    // What is asked for last counts, also when it was asked while this waited for its turn.
    const config = this.#config;
    const role = this.#role;
    if (config.mode === 'off') return this.#stopOwn();
    if (config.mode === 'kernel' && role === undefined) return;
    this.#daemons = await table.daemons();
    const actions = decideDaemons({ config, role, running: this.#daemons });
    for (const action of actions) await this.#apply(action);
    if (actions.length > 0) this.#daemons = await table.daemons();
    const wanted = wantedDaemons(config, role);
    const former = this.#own;
    this.#own = this.#daemons.filter(
      (daemon) =>
        wanted.some((one) => sameDaemon(daemon, one)) ||
        former.some((own) => own.role === daemon.role),
    );
  }

  /** One step that fails does not keep the next from being tried. */
  async #apply(action: DaemonAction): Promise<void> {
    const { table } = this.#options;
    try {
      if (action.kind === 'stop') await table.stopDaemon(action.role);
      else await table.startDaemon(action.daemon);
      this.#options.onAction?.(action);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #stopOwn(): Promise<void> {
    if (this.#own.length === 0) return;
    for (const { role } of this.#own) {
      await this.#options.table.stopDaemon(role);
      this.#options.onAction?.({ kind: 'stop', role });
    }
    this.#own = [];
    this.#daemons = await this.#options.table.daemons();
  }

  #failed(error: unknown): void {
    const known =
      error instanceof TandemError
        ? error
        : new TandemError('INTERNAL', error instanceof Error ? error.message : String(error));
    this.#lastError = known.message;
    this.#options.onError?.(known);
  }
}
