/** From `trackers`, `track` and `hooks` without errors to what one node does about them. */
import type { TrackerEffect, TrackerSpec, TrackerSubject } from '../track/model.js';
import type { HookSpec, NodeConfig } from './model.js';
import { onNode, type PerNode } from './schema/containerTypes.js';
import type { RootComplete } from './schema/rootDefinition.js';

type TrackerComplete = RootComplete['trackers'][number];
type Reference = RootComplete['virtualRouters'][number]['track'][number];

/** The trackers that somebody tracks. */
export function resolveTrackers(root: RootComplete, node: NodeConfig): readonly TrackerSpec[] {
  return root.trackers.flatMap((tracker) => {
    const effects = effectsOf(root, tracker);
    if (effects.length === 0) return [];
    return [{ name: tracker.name, subject: resolveSubject(tracker, node), effects }];
  });
}

/** The hooks; one that names neither routers nor groups is called for every router. */
export function resolveHooks(root: RootComplete): readonly HookSpec[] {
  return root.hooks.map((hook) => {
    const { routers, groups, services, timeout, user, ...rest } = hook;
    const isGlobal = [routers, groups, services].every((names) => names === undefined);
    return {
      ...rest,
      timeoutMs: timeout,
      routers: isGlobal ? root.virtualRouters.map(({ name }) => name) : (routers ?? []),
      groups: groups ?? [],
      ...(services === undefined ? {} : { services }),
      ...(user === undefined ? {} : { user }),
    };
  });
}

/**
 * The members of a sync group move together, so that the priority of one is lowered with those of
 * the others: else two groups would each keep half. A fault needs no such thing, since a group
 * with a member that cannot run leaves as a whole.
 */
function effectsOf(root: RootComplete, tracker: TrackerComplete): readonly TrackerEffect[] {
  const weights = new Map<string, number>();
  const claim = (router: string, weight: number): void => {
    if (!weights.has(router)) weights.set(router, weight);
  };
  const weightOf = (references: readonly Reference[]): number | undefined => {
    const reference = references.find((each) => each.tracker === tracker.name);
    return reference === undefined ? undefined : (reference.weight ?? tracker.weight);
  };
  for (const router of root.virtualRouters) {
    const weight = weightOf(router.track);
    if (weight !== undefined) claim(router.name, weight);
  }
  for (const { members, track } of root.syncGroups) {
    const shared = members
      .map((member) => weights.get(member))
      .find((weight) => weight !== undefined && weight !== 0);
    const weight = weightOf(track) ?? shared;
    if (weight !== undefined) for (const member of members) claim(member, weight);
  }
  return [...weights].map(([router, weight]) => ({ router, weight }));
}

function resolveSubject(tracker: TrackerComplete, node: NodeConfig): TrackerSubject {
  switch (tracker.type) {
    case 'interface':
      return { type: 'interface', interface: onNode(tracker.interface, node.name) ?? '' };
    case 'address':
      return {
        type: 'address',
        address: tracker.address,
        ...resolveInterface(tracker.interface, node),
      };
    case 'route':
      return {
        type: 'route',
        destination: tracker.destination,
        table: tracker.table,
        ...(tracker.gateway === undefined ? {} : { gateway: tracker.gateway }),
        ...resolveInterface(tracker.interface, node),
      };
    case 'script':
      return {
        type: 'script',
        command: tracker.command,
        intervalMs: tracker.interval,
        timeoutMs: tracker.timeout,
        rise: tracker.rise,
        fall: tracker.fall,
        initially: tracker.initially,
        ...(tracker.user === undefined ? {} : { user: tracker.user }),
      };
    case 'file':
      return { type: 'file', path: tracker.path, valueWhenMissing: tracker.valueWhenMissing };
    case 'process':
      return {
        type: 'process',
        min: tracker.min,
        intervalMs: tracker.interval,
        delayMs: tracker.delay,
        ...(tracker.process === undefined ? {} : { process: tracker.process }),
        ...(tracker.commandContains === undefined
          ? {}
          : { commandContains: tracker.commandContains }),
        ...(tracker.max === undefined ? {} : { max: tracker.max }),
      };
    case 'service':
      return { type: 'service', service: tracker.service, minServersUp: tracker.minServersUp };
    case 'bfd':
      return { type: 'bfd', session: tracker.session };
  }
}

function resolveInterface(
  value: PerNode<string> | undefined,
  node: NodeConfig,
): { readonly interface?: string } {
  const name = value === undefined ? undefined : onNode(value, node.name);
  return name === undefined ? {} : { interface: name };
}
