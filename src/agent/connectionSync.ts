/**
 * The main thread's hold on connection synchronisation: the daemons of the kernel, which follow the
 * election or serve the relay, and the relay.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ResyncResult } from '../api/server.js';
import type { StatusDocument } from '../api/statusModel.js';
import type { ConnectionSyncConfig, TandemConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import type { IpvsTable } from '../kernel/ipvsTable.js';
import type { SyncRole } from '../sync/daemonDecision.js';
import { KernelSync } from '../sync/kernelSync.js';
import type { PreemptHoldRequest, VirtualRouterReport } from '../vrrp/protocol.js';
import type { AgentLogger } from './logger.js';
import { SyncRelay } from './syncRelay.js';

/** How often the daemons are looked at when nothing changes, in milliseconds. */
const auditIntervalMs = 30_000;

/** What it needs of the other parts. */
export interface ConnectionSyncEvents {
  /** Takes one end of the way between the sync thread and the thread of the peer channel. */
  readonly attach: (port: MessagePort) => void;
  /** What keeps this node from taking over from one that works. */
  readonly onHolds: (holds: readonly PreemptHoldRequest[]) => void;
  /** How well the tables agree has changed, perhaps. */
  readonly onReport: () => void;
}

/** Connection synchronisation on this node. */
export class ConnectionSync {
  readonly #logger: AgentLogger;
  readonly #events: ConnectionSyncEvents;
  readonly #relay: SyncRelay;
  #config: ConnectionSyncConfig = { mode: 'off' };
  #sync: KernelSync | undefined;
  #role: SyncRole | undefined;
  #lastAuditMs = 0;
  #hasBegun = false;
  #isHolding = false;

  constructor(logger: AgentLogger, events: ConnectionSyncEvents) {
    this.#logger = logger.child({ part: 'sync' });
    this.#events = events;
    this.#relay = new SyncRelay({
      logger: this.#logger.child({ thread: 'sync' }),
      attach: events.attach,
      onReport: () => {
        if (this.#relay.report?.inSync === true) this.#hold(undefined);
        events.onReport();
      },
    });
  }

  /** What the status says of the sync thread; `undefined` without the relay. */
  get thread(): { readonly restarts: number; readonly running: boolean } | undefined {
    return this.#config.mode === 'relay' ? this.#relay.thread : undefined;
  }

  /** Whether the peer knows all connections; `undefined` where nobody can tell. */
  get isInSync(): boolean | undefined {
    if (this.#config.mode !== 'relay') return undefined;
    return this.#relay.report?.inSync === true;
  }

  /** Takes the configuration; without a kernel table there is nothing to synchronise. */
  async configure(
    { connectionSync: config, services }: TandemConfig,
    table: IpvsTable | undefined,
  ): Promise<void> {
    this.#config = config;
    await this.#configureDaemons(config, table);
    if (config.mode === 'relay') {
      // Only a node that has just started lacks the table.
      if (!this.#hasBegun) this.#hold(config.joinWaitMs);
      await this.#relay.configure(config, services);
    } else {
      this.#hold(undefined);
      await this.#relay.stop();
    }
    this.#hasBegun = true;
  }

  /** The thread of the peer channel is new. */
  connect(): void {
    this.#relay.connect();
  }

  /** Follows the election: the director that holds an address tells, the other one listens. */
  follow(routers: readonly VirtualRouterReport[], nowMs: number): void {
    const role = roleOf(routers);
    if (role === undefined) return;
    const changed = role !== this.#role;
    if (!changed && nowMs - this.#lastAuditMs < auditIntervalMs) return;
    this.#role = role;
    this.#lastAuditMs = nowMs;
    void this.#sync?.setRole(role);
  }

  /** Both directors send each other all that they know. Throws `AGENT_REFUSED`. */
  resync(): ResyncResult {
    if (this.#config.mode !== 'relay') {
      throw new TandemError('AGENT_REFUSED', `connectionSync.mode is ${this.#config.mode}`, {
        hint: 'Only the relay can send the whole table.',
      });
    }
    if (this.#relay.report?.connectedSinceUnixMs == null) {
      throw new TandemError('AGENT_REFUSED', 'the peer is not connected', {
        hint: '`tandem status` says why; the table is sent as soon as it is.',
      });
    }
    this.#relay.resync();
    return { requestedUnixMs: Date.now() };
  }

  /** What the status document says. */
  snapshot(portsProtected: boolean): StatusDocument['connectionSync'] {
    const status = this.#sync?.status() ?? { mode: 'off', daemons: [], lastError: null };
    const { report } = this.#relay;
    if (this.#config.mode !== 'relay' || report === undefined) return status;
    return { ...status, relay: { ...report, portsProtected, holding: this.#isHolding } };
  }

  /** Stops the daemons that run for this agent. */
  async stop(): Promise<void> {
    await this.#relay.stop();
    await this.#sync?.stop();
  }

  async #configureDaemons(
    config: ConnectionSyncConfig,
    table: IpvsTable | undefined,
  ): Promise<void> {
    if (this.#sync !== undefined) return this.#sync.configure(config);
    if (table === undefined || config.mode === 'off') return;
    this.#sync = new KernelSync({
      table,
      config,
      onAction: (action) => this.#logger.info({ action }, `sync daemon: ${action.kind}`),
      onError: (error) => this.#logger.error({ code: error.code, hint: error.hint }, error.message),
    });
    if (this.#role !== undefined) await this.#sync.setRole(this.#role);
    else await this.#sync.audit();
  }

  #hold(waitMaxMs: number | undefined): void {
    const isHolding = waitMaxMs !== undefined && waitMaxMs > 0;
    if (isHolding === this.#isHolding) return;
    this.#isHolding = isHolding;
    this.#events.onHolds(isHolding ? [{ reason: 'connections-not-synced', waitMaxMs }] : []);
  }
}

/** Nothing is decided before the election has said anything. */
function roleOf(routers: readonly VirtualRouterReport[]): SyncRole | undefined {
  if (routers.some((router) => router.state === 'active')) return 'active';
  return routers.some((router) => router.state === 'backup') ? 'backup' : undefined;
}
