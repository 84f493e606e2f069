/** The kernel's connection synchronisation daemons between the model and their attributes. */
import { familyOf, ipFromBytes, ipToBytes } from './ipAddress.js';
import { type daemonAttributes, daemonStates } from './ipvsAttributes.js';
import type { SyncDaemon, SyncDaemonRole } from './ipvsModel.js';
import { required } from './ipvsService.js';
import type { AttributeValues } from './netlinkAttributes.js';
import { WireError } from './wireError.js';

type DaemonValues = AttributeValues<typeof daemonAttributes>;

/** All attributes that start a daemon; what is absent takes the kernel's default. */
export function daemonValues(daemon: SyncDaemon): DaemonValues {
  const { group } = daemon;
  return {
    ...daemonRoleValues(daemon.role),
    interface: daemon.interface,
    syncId: daemon.syncId,
    ...(daemon.maxLengthBytes === undefined ? {} : { maxLength: daemon.maxLengthBytes }),
    ...(daemon.port === undefined ? {} : { port: daemon.port }),
    ...(daemon.ttl === undefined ? {} : { ttl: daemon.ttl }),
    ...(group !== undefined && familyOf(group) === 4 ? { group: ipToBytes(group) } : {}),
    ...(group !== undefined && familyOf(group) === 6 ? { group6: ipToBytes(group) } : {}),
  };
}

/** The attribute that names a daemon: the kernel runs at most one of each role. */
export function daemonRoleValues(role: SyncDaemonRole): DaemonValues {
  return { state: daemonStates[role] };
}

/** Reads a daemon of a dump. Throws {@link WireError} on one without role or interface. */
export function decodeDaemon(values: DaemonValues): SyncDaemon {
  const group = values.group6 ?? values.group;
  return {
    role: decodeRole(required(values.state, 'state')),
    interface: required(values.interface, 'interface'),
    syncId: required(values.syncId, 'syncId'),
    ...(group === undefined ? {} : { group: ipFromBytes(group) }),
    ...(values.port === undefined ? {} : { port: values.port }),
    ...(values.ttl === undefined ? {} : { ttl: values.ttl }),
    ...(values.maxLength === undefined ? {} : { maxLengthBytes: values.maxLength }),
  };
}

function decodeRole(state: number): SyncDaemonRole {
  if (state === daemonStates.master) return 'master';
  if (state === daemonStates.backup) return 'backup';
  throw new WireError('bad-value', `daemon state ${state}`);
}
