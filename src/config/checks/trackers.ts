/** Cross checks of `trackers`, and of `track` in virtual routers and sync groups. */
import { didYouMean } from '../closestWord.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import { onNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkCommand } from './commands.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';

type TrackerDraft = NonNullable<NonNullable<RootDraft['trackers']>[number]>;
type References = NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>['track'];

/** Priority of the router that owns the addresses as its own; nothing moves it. */
const ownerPriority = 255;

/** All of them. */
export function checkTrackers(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new FirstOwners<number>();
  for (const [index, tracker] of present(draft.trackers)) {
    const path = ['trackers', index];
    findings.push(...checkSubject(draft, path, tracker));
    const { name } = tracker;
    const earlier = name === undefined ? undefined : names.claim(name, index);
    if (earlier === undefined) continue;
    const message = `trackers[${earlier}] is called ${name} already`;
    findings.push(errorAt([...path, 'name'], message, 'give each tracker its own name'));
  }
  return [...findings, ...checkReferences(draft)];
}

/**
 * A process tracker looks for something. Judged on the plain value, because a draft cannot tell a
 * key that is missing from one that is wrong.
 */
export function checkProcessGiven(
  draft: RootDraft,
  isGiven: (path: ConfigPath) => boolean,
): readonly Finding[] {
  return present(draft.trackers).flatMap(([index, tracker]) => {
    const path = ['trackers', index];
    if (tracker.type !== 'process') return [];
    if (isGiven([...path, 'process']) || isGiven([...path, 'commandContains'])) return [];
    const hint = 'for example process: haproxy';
    return [errorAt(path, 'needs `process` or `commandContains`', hint)];
  });
}

function checkSubject(
  draft: RootDraft,
  path: ConfigPath,
  tracker: TrackerDraft,
): readonly Finding[] {
  switch (tracker.type) {
    case 'interface':
    case 'address':
      return checkPerNode(draft, [...path, 'interface'], tracker.interface);
    case 'route':
      return [
        ...checkPerNode(draft, [...path, 'interface'], tracker.interface),
        ...checkGateway(path, tracker),
      ];
    case 'script':
      return checkCommand([...path, 'command'], tracker.command);
    case 'process':
      return checkCounts(path, tracker);
    case 'service':
      return checkService(draft, path, tracker);
    case 'file':
    case 'bfd':
      return [];
  }
}

function checkGateway(
  path: ConfigPath,
  { destination, gateway }: Extract<TrackerDraft, { type: 'route' }>,
): readonly Finding[] {
  if (destination === undefined || gateway === undefined) return [];
  const isSixToFour = destination.address.includes(':') && !gateway.includes(':');
  if (!isSixToFour) {
    // `default` alone means IPv4, where a gateway of IPv6 is possible and seldom meant.
    const isDefault = destination.length === 0 && !destination.address.includes(':');
    if (!isDefault || !gateway.includes(':')) return [];
    return [
      errorAt(
        [...path, 'gateway'],
        'is IPv6, and the destination is the default route of IPv4',
        'write destination: "::/0"',
      ),
    ];
  }
  return [errorAt([...path, 'gateway'], 'is IPv4, and the destination is IPv6')];
}

function checkCounts(
  path: ConfigPath,
  { min, max }: Extract<TrackerDraft, { type: 'process' }>,
): readonly Finding[] {
  if (min === undefined || max === undefined || min <= max) return [];
  return [errorAt([...path, 'max'], `is ${max}, less than min, which is ${min}`)];
}

function checkService(
  draft: RootDraft,
  path: ConfigPath,
  tracker: Extract<TrackerDraft, { type: 'service' }>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const { service, minServersUp, weight } = tracker;
  const names = (draft.services ?? []).flatMap((each) => each?.name ?? []);
  const found = draft.services?.find((each) => each?.name === service);
  const isReadable = draft.services !== undefined && names.length === draft.services.length;
  if (service !== undefined && found === undefined && isReadable) {
    const hint = didYouMean(service, names) ?? 'services are named in `services`';
    findings.push(errorAt([...path, 'service'], `there is no service ${service}`, hint));
  }
  const count = found?.servers?.length;
  if (count !== undefined && minServersUp !== undefined && minServersUp > count) {
    const message = `is ${minServersUp}, and service ${service} has ${count} servers`;
    findings.push(errorAt([...path, 'minServersUp'], message));
  }
  if (weight === 0) {
    findings.push(
      warningAt(
        path,
        'has no weight: when the servers are down both directors see it, and neither runs',
        'give it a weight',
      ),
    );
  }
  return findings;
}

/** Every name in a `track` is a tracker, once; every tracker is tracked by somebody. */
function checkReferences(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = (draft.trackers ?? []).flatMap((tracker) => tracker?.name ?? []);
  const isReadable = draft.trackers !== undefined && names.length === draft.trackers.length;
  const tracked = new Set<string>();
  let allReadable = true;
  const check = (path: ConfigPath, references: References): void => {
    if (references === undefined) allReadable = false;
    const seen = new Set<string>();
    for (const [index, { tracker }] of present(references)) {
      if (tracker === undefined) continue;
      const here = [...path, 'track', index];
      if (isReadable && !names.includes(tracker)) {
        const known = names.length > 0 ? `there are ${names.join(', ')}` : undefined;
        const hint = didYouMean(tracker, names) ?? known;
        findings.push(errorAt(here, `there is no tracker ${tracker}`, hint));
      } else if (seen.has(tracker)) {
        findings.push(errorAt(here, `${tracker} is in this list already`, 'remove one'));
      }
      seen.add(tracker);
      tracked.add(tracker);
    }
  };
  for (const [index, router] of present(draft.virtualRouters)) {
    check(['virtualRouters', index], router.track);
    findings.push(...checkOwner(draft, ['virtualRouters', index], router));
  }
  for (const [index, group] of present(draft.syncGroups)) {
    check(['syncGroups', index], group.track);
  }
  if (!allReadable || draft.virtualRouters === undefined) return findings;
  for (const [index, { name }] of present(draft.trackers)) {
    if (name === undefined || tracked.has(name)) continue;
    const hint = 'name it in `track` of a virtual router or a sync group';
    findings.push(warningAt(['trackers', index], `nobody tracks ${name}: it does not run`, hint));
  }
  return findings;
}

function checkOwner(
  draft: RootDraft,
  path: ConfigPath,
  router: NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>,
): readonly Finding[] {
  const { priority } = router;
  if (priority === undefined) return [];
  const owner = [...(draft.nodes?.keys() ?? [])].find(
    (node) => onNode(priority, node) === ownerPriority,
  );
  if (owner === undefined) return [];
  for (const [index, reference] of present(router.track)) {
    const tracker = draft.trackers?.find((each) => each?.name === reference.tracker);
    const weight = reference.weight ?? tracker?.weight;
    if (weight === undefined || weight === 0) continue;
    const message = `has no effect on ${owner}, whose priority 255 is never moved`;
    return [warningAt([...path, 'track', index], message, 'use weight 0, or at most 254')];
  }
  return [];
}
