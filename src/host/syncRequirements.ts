/** What connection synchronisation needs of the kernel's settings. Pure. */
import type { TandemConfig } from '../config/model.js';
import type { Requirement, RequirementReason } from './requirements.js';

/**
 * Schedulers that choose the server by a hash of the packet, and so alike on both directors: with
 * them a connection that the peer was not told of in time can go on.
 */
const hashSchedulers: ReadonlySet<string> = new Set(['sh', 'mh']);

/**
 * The settings that belong to the mode. The defaults tell a connection with its third packet, so
 * never when it is idle, and a template with every packet; with these a connection is told when it
 * is established and again when its timer has moved by ten seconds.
 */
export function syncRequirements(config: TandemConfig): readonly Requirement[] {
  const { connectionSync: sync, services } = config;
  if (sync.mode === 'off') return [];
  const common = [
    setting('sync_version', '1', 'sync-version'),
    setting('sync_threshold', '0\t0', 'sync-coverage'),
    setting('sync_refresh_period', '10', 'sync-coverage'),
    setting('sync_persist_mode', '0', 'sync-persistence'),
    ...(services.some(({ settings: { scheduler } }) => hashSchedulers.has(scheduler))
      ? [setting('sloppy_tcp', '1', 'sync-sloppy')]
      : []),
  ];
  if (sync.mode === 'kernel') return common;
  return [
    ...common,
    setting('backup_only', '0', 'sync-backup-only'),
    setting('sync_ports', String(sync.portCount), 'sync-ports'),
  ];
}

function setting(name: string, wanted: string, reason: RequirementReason): Requirement {
  return {
    setting: `net.ipv4.vs.${name}`,
    accepted: [wanted],
    wanted,
    reason,
    level: 'required',
    owner: 'sync',
  };
}
