/** Which of the kernel's synchronisation daemons must be started or stopped. Pure. */
import type { ConnectionSyncConfig } from '../config/model.js';
import type { SyncDaemon, SyncDaemonRole } from '../wire/ipvsModel.js';

/** What this director is for the connection table: the one that tells, or the one that listens. */
export type SyncRole = 'active' | 'backup';

/** One step. A list of them is carried out in order. */
export type DaemonAction =
  | { readonly kind: 'stop'; readonly role: SyncDaemonRole }
  | { readonly kind: 'start'; readonly daemon: SyncDaemon };

/** What a decision is made from. */
export interface DaemonDecisionInput {
  readonly config: ConnectionSyncConfig;
  readonly role: SyncRole;
  /** The daemons that run now. */
  readonly running: readonly SyncDaemon[];
}

/** Kernel defaults (`net/netfilter/ipvs/ip_vs_sync.c`), for what the configuration leaves open. */
const kernelDefaults = { group: '224.0.0.81', port: 8848, ttl: 1 } as const;

/** The kernel raises a smaller receive buffer of a backup daemon to this. */
const backupLengthMin = 1024;

/** The daemon that a role needs, or nothing when the kernel is not to synchronise. */
export function wantedDaemon(config: ConnectionSyncConfig, role: SyncRole): SyncDaemon | undefined {
  if (config.mode === 'off') return undefined;
  const { mode: _mode, ...settings } = config;
  return { role: role === 'active' ? 'master' : 'backup', ...settings };
}

/**
 * The Active runs the master daemon and no backup daemon, the Backup the reverse. A daemon of the
 * right role with other settings is started anew. Stops come before starts.
 *
 * With mode `off` nothing is touched: daemons that run then are somebody else's.
 */
export function decideDaemons(input: DaemonDecisionInput): readonly DaemonAction[] {
  const wanted = wantedDaemon(input.config, input.role);
  if (wanted === undefined) return [];
  const actions: DaemonAction[] = [];
  let satisfied = false;
  for (const daemon of input.running) {
    if (sameDaemon(daemon, wanted)) satisfied = true;
    else actions.push({ kind: 'stop', role: daemon.role });
  }
  if (!satisfied) actions.push({ kind: 'start', daemon: wanted });
  return actions;
}

/** Whether a running daemon is the wanted one, as the kernel reports it. */
export function sameDaemon(running: SyncDaemon, wanted: SyncDaemon): boolean {
  return (
    running.role === wanted.role &&
    running.interface === wanted.interface &&
    running.syncId === wanted.syncId &&
    running.group === (wanted.group ?? kernelDefaults.group) &&
    running.port === (wanted.port ?? kernelDefaults.port) &&
    running.ttl === (wanted.ttl ?? kernelDefaults.ttl) &&
    sameLength(running, wanted)
  );
}

/** Without a configured length any will do: the kernel's default depends on the interface. */
function sameLength(running: SyncDaemon, wanted: SyncDaemon): boolean {
  const length = wanted.maxLengthBytes;
  if (length === undefined) return true;
  const minimum = wanted.role === 'backup' ? backupLengthMin : 0;
  return running.maxLengthBytes === Math.max(length, minimum);
}
