/** Which hooks a change of state calls, and with what arguments and environment. Pure. */
import type { HookOccasion, HookSpec } from '../config/model.js';
import type { SyncGroupSpec, VirtualRouterReport } from '../vrrp/protocol.js';
import type { TransitionReason, VirtualRouterState } from '../vrrp/reasons.js';
import { callsForService, type ServiceChange, serviceVariables } from './serviceHooks.js';

/** A change of state of one virtual router, as the vrrp thread tells it. */
export interface RouterTransition {
  readonly router: string;
  readonly from: VirtualRouterState;
  readonly to: VirtualRouterState;
  readonly reason: TransitionReason;
  readonly atUnixMs: number;
}

/** A change of state of a router or a group. */
export interface HookChange extends Omit<RouterTransition, 'router'> {
  readonly kind: 'router' | 'group';
  readonly name: string;
  /** What is known of the router after the change; absent for a group. */
  readonly report?: Pick<VirtualRouterReport, 'vrid' | 'interface' | 'priority' | 'addresses'>;
}

/** One call of a hook. */
export interface HookJob {
  /** `router outside`, `group edge`, `service web` or `server web/192.0.2.1:80`. */
  readonly target: string;
  readonly hook: HookSpec;
  readonly change: HookChange | ServiceChange;
  /** Counts the changes since the agent started; hooks of one change have the same. */
  readonly sequence: number;
}

/** What does not change from one call to the next. */
export interface HookNode {
  readonly cluster: string;
  readonly node: string;
}

/** Reasons for which a router leaves because it is told to, and not because something is wrong. */
const stopReasons: readonly TransitionReason[] = ['shutdown', 'reconfigured'];

/** The calls that a change makes, in the order of the configuration. */
export function hookJobs(
  hooks: readonly HookSpec[],
  change: HookChange | ServiceChange,
  sequence: number,
): readonly HookJob[] {
  return hooks
    .filter((hook) => calls(hook, change))
    .map((hook) => ({ target: `${change.kind} ${change.name}`, hook, change, sequence }));
}

function calls(hook: HookSpec, change: HookChange | ServiceChange): boolean {
  if (isOfService(change)) return callsForService(hook, change);
  const occasions = occasionsOf(change);
  const names = change.kind === 'router' ? hook.routers : hook.groups;
  return names.includes(change.name) && hook.on.some((occasion) => occasions.includes(occasion));
}

function isOfService(change: HookChange | ServiceChange): change is ServiceChange {
  return change.kind === 'service' || change.kind === 'server';
}

/** The state of a sync group by those of its members; `undefined` when none is known. */
export function groupState(
  group: SyncGroupSpec,
  states: ReadonlyMap<string, VirtualRouterState>,
): VirtualRouterState | undefined {
  const members = group.members.flatMap((member) => states.get(member) ?? []);
  if (members.length === 0) return undefined;
  if (members.includes('initialize')) return 'initialize';
  return members.includes('backup') ? 'backup' : 'active';
}

/** The program with all of its arguments. */
export function hookCommand({ hook, change }: HookJob): readonly string[] {
  // keepalived's programs for quorums and servers have no arguments either.
  if (hook.style === 'environment' || isOfService(change)) return hook.command;
  const kind = change.kind === 'router' ? 'INSTANCE' : 'GROUP';
  const priority = change.report?.priority.effective ?? 0;
  return [...hook.command, kind, change.name, keepalivedState(change), String(priority)];
}

/** The variables that a hook finds, beside those of every command. */
export function hookEnvironment(
  { hook, change, sequence }: HookJob,
  { cluster, node }: HookNode,
): Readonly<Record<string, string>> {
  return {
    TANDEM_HOOK: hook.name,
    TANDEM_CLUSTER: cluster,
    TANDEM_NODE: node,
    TANDEM_KIND: change.kind,
    TANDEM_NAME: change.name,
    TANDEM_STATE: change.to,
    TANDEM_PREVIOUS_STATE: change.from,
    TANDEM_AT_UNIX_MS: String(change.atUnixMs),
    TANDEM_SEQUENCE: String(sequence),
    ...(isOfService(change) ? serviceVariables(change) : routerVariables(change)),
  };
}

function routerVariables({ reason, report }: HookChange): Readonly<Record<string, string>> {
  if (report === undefined) return { TANDEM_REASON: reason };
  return {
    TANDEM_REASON: reason,
    TANDEM_VRID: String(report.vrid),
    TANDEM_INTERFACE: report.interface,
    TANDEM_PRIORITY: String(report.priority.effective),
    TANDEM_ADDRESSES: report.addresses
      .map(({ prefix }) => `${prefix.address}/${prefix.length}`)
      .join(' '),
  };
}

function occasionsOf({ to, reason }: HookChange): readonly HookOccasion[] {
  if (to !== 'initialize') return [to];
  return ['initialize', stopReasons.includes(reason) ? 'stop' : 'fault'];
}

function keepalivedState({ to, reason }: HookChange): string {
  if (to === 'active') return 'MASTER';
  if (to === 'backup') return 'BACKUP';
  return stopReasons.includes(reason) ? 'STOP' : 'FAULT';
}
