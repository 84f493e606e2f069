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
  /** Nothing before the election has said anything; the relay does not ask. */
  readonly role: SyncRole | undefined;
  /** The daemons that run now. */
  readonly running: readonly SyncDaemon[];
}

/** Kernel defaults (`net/netfilter/ipvs/ip_vs_sync.c`), for what the configuration leaves open. */
const kernelDefaults = { group: '224.0.0.81', port: 8848, ttl: 1 } as const;

/** The kernel raises a smaller receive buffer of a backup daemon to this. */
const backupLengthMin = 1024;

/**
 * Bytes of a message of the relay's master daemon: one entry each. The kernel sends a message when
 * the next entry does not fit, or after two seconds, so that a longer one would wait for those.
 */
const relayMessageBytes = 44;

/**
 * The daemons that there must be. The relay has both on `lo` all the time, so that a takeover
 * switches nothing; otherwise the Active tells and the Backup listens.
 */
export function wantedDaemons(
  config: ConnectionSyncConfig,
  role: SyncRole | undefined,
): readonly SyncDaemon[] {
  switch (config.mode) {
    case 'off':
      return [];
    case 'relay': {
      const { syncId, group, port, portCount } = config;
      const common = { interface: 'lo', syncId, group };
      return [
        { role: 'master', ...common, port, maxLengthBytes: relayMessageBytes },
        { role: 'backup', ...common, port: port + portCount },
      ];
    }
    case 'kernel': {
      if (role === undefined) return [];
      const { mode: _mode, ...settings } = config;
      return [{ role: role === 'active' ? 'master' : 'backup', ...settings }];
    }
  }
}

/**
 * A daemon of the right role with other settings is started anew, one of a role that is not wanted
 * is stopped. Stops come before starts.
 *
 * Where nothing is wanted nothing is touched: daemons that run then are somebody else's.
 */
export function decideDaemons(input: DaemonDecisionInput): readonly DaemonAction[] {
  const wanted = wantedDaemons(input.config, input.role);
  if (wanted.length === 0) return [];
  const isRight = (daemon: SyncDaemon): boolean => wanted.some((one) => sameDaemon(daemon, one));
  const isThere = (one: SyncDaemon): boolean =>
    input.running.some((daemon) => sameDaemon(daemon, one));
  return [
    ...input.running
      .filter((daemon) => !isRight(daemon))
      .map(({ role }): DaemonAction => ({ kind: 'stop', role })),
    ...wanted
      .filter((one) => !isThere(one))
      .map((daemon): DaemonAction => ({ kind: 'start', daemon })),
  ];
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
