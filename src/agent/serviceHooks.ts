/** Which hooks are called for what the checks find, and what they are told. Pure. */
import type { HookOccasion, HookSpec } from '../config/model.js';
import type { BoardChange, ServerHealth } from '../health/healthBoard.js';
import type { HealthState } from '../health/reasons.js';

/** The quorum of a service was lost or met again. */
export interface QuorumChange {
  readonly kind: 'service';
  /** Name of the service. */
  readonly name: string;
  readonly from: 'quorum-met' | 'quorum-lost';
  readonly to: 'quorum-met' | 'quorum-lost';
  /** What its servers come to now. */
  readonly count: number;
  readonly atUnixMs: number;
}

/** The checks took a server of a service out, or let it in. */
export interface ServerChange {
  readonly kind: 'server';
  /** `service/address:port`. */
  readonly name: string;
  /** Name of the service. */
  readonly service: string;
  readonly from: HealthState;
  readonly to: Exclude<HealthState, 'unknown'>;
  /** The reason of the last result, or why the server is kept out. */
  readonly reason: string;
  readonly atUnixMs: number;
}

/** A change that the checks have found. */
export type ServiceChange = QuorumChange | ServerChange;

/**
 * What has changed for hooks. A server whose first verdict is that it is up has not changed: the
 * start of an agent calls nobody for servers that are well.
 */
export function serviceChanges(change: BoardChange, nowUnixMs: number): readonly ServiceChange[] {
  const servers = change.servers.flatMap(({ before, after }): readonly ServerChange[] => {
    const { id } = after;
    const [from, to] = [heldState(before), heldState(after)];
    if (to === 'unknown' || to === from) return [];
    if (to === 'up' && from === 'unknown') return [];
    const reason = after.operation?.reason ?? after.last?.reason ?? '';
    const service = id.slice(0, id.lastIndexOf('/'));
    const times = { atUnixMs: nowUnixMs };
    return [{ kind: 'server', name: id, service, from, to, reason, ...times }];
  });
  const quorums = change.quorums.map(({ service, state, count }): QuorumChange => {
    const from = state === 'met' ? 'quorum-lost' : 'quorum-met';
    const to = `quorum-${state}` as const;
    return { kind: 'service', name: service, from, to, count, atUnixMs: nowUnixMs };
  });
  return [...servers, ...quorums];
}

/** While the network is lost, what failed with everything else keeps its weight: it is not out. */
function heldState({ state, excused }: ServerHealth): HealthState {
  return excused === true ? 'up' : state;
}

/** Whether a change calls a hook. */
export function callsForService(hook: HookSpec, change: ServiceChange): boolean {
  const service = change.kind === 'service' ? change.name : change.service;
  return (hook.services ?? []).includes(service) && hook.on.includes(occasionOf(change));
}

/** What a hook finds in its environment, beside what all hooks do. */
export function serviceVariables(change: ServiceChange): Readonly<Record<string, string>> {
  if (change.kind === 'service') return { TANDEM_QUORUM_COUNT: String(change.count) };
  return { TANDEM_SERVICE: change.service, TANDEM_REASON: change.reason };
}

function occasionOf(change: ServiceChange): HookOccasion {
  return change.kind === 'service' ? change.to : `server-${change.to}`;
}
