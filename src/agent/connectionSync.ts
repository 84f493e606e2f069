/** The main thread's hold on connection synchronisation: which role the election gives it. */
import type { StatusDocument } from '../api/statusModel.js';
import type { ConnectionSyncConfig } from '../config/model.js';
import type { IpvsTable } from '../kernel/ipvsTable.js';
import type { SyncRole } from '../sync/daemonDecision.js';
import { KernelSync } from '../sync/kernelSync.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';
import type { AgentLogger } from './logger.js';

/** How often the daemons are looked at when nothing changes, in milliseconds. */
const auditIntervalMs = 30_000;

/** Connection synchronisation on this node. */
export class ConnectionSync {
  readonly #logger: AgentLogger;
  #sync: KernelSync | undefined;
  #role: SyncRole | undefined;
  #lastAuditMs = 0;

  constructor(logger: AgentLogger) {
    this.#logger = logger.child({ part: 'sync' });
  }

  /** Takes the configuration; without a kernel table there is nothing to synchronise. */
  async configure(config: ConnectionSyncConfig, table: IpvsTable | undefined): Promise<void> {
    if (this.#sync !== undefined) return this.#sync.configure(config);
    if (table === undefined || config.mode === 'off') return;
    this.#sync = new KernelSync({
      table,
      config,
      onAction: (action) => this.#logger.info({ action }, `sync daemon: ${action.kind}`),
      onError: (error) => this.#logger.error({ code: error.code, hint: error.hint }, error.message),
    });
    if (this.#role !== undefined) await this.#sync.setRole(this.#role);
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

  /** What the status document says. */
  snapshot(): StatusDocument['connectionSync'] {
    return this.#sync?.status() ?? { mode: 'off', daemons: [], lastError: null };
  }

  /** Stops the daemons that run for this agent. */
  async stop(): Promise<void> {
    await this.#sync?.stop();
  }
}

/** Nothing is decided before the election has said anything. */
function roleOf(routers: readonly VirtualRouterReport[]): SyncRole | undefined {
  if (routers.some((router) => router.state === 'active')) return 'active';
  return routers.some((router) => router.state === 'backup') ? 'backup' : undefined;
}
