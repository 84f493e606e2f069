/** Cross checks of `bfd`, and of the virtual routers and trackers that name its sessions. */
import { didYouMean } from '../closestWord.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import type { BfdPeer } from '../schema/bfdDefinition.js';
import { onNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkPerNode } from './nodes.js';
import { FirstOwners, present } from './present.js';
import { routerInterface } from './virtualRouters.js';

type SessionDraft = NonNullable<NonNullable<RootDraft['bfd']>[number]>;
type RouterDraft = NonNullable<NonNullable<RootDraft['virtualRouters']>[number]>;

/** All of them. */
export function checkBfd(draft: RootDraft): readonly Finding[] {
  return [
    ...checkSessions(draft),
    ...checkPaths(draft),
    ...checkRouters(draft),
    ...checkGroups(draft),
    ...checkTrackers(draft),
  ];
}

function checkSessions(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new FirstOwners<number>();
  for (const [index, session] of present(draft.bfd)) {
    const path = ['bfd', index];
    const { name, multihop, authentication } = session;
    findings.push(
      ...checkPerNode(draft, [...path, 'interface'], session.interface),
      ...checkPerNode(draft, [...path, 'peer'], session.peer),
      ...checkPeers(draft, path, session),
    );
    const earlier = name === undefined ? undefined : names.claim(name, index);
    if (earlier !== undefined) {
      const message = `bfd[${earlier}] is called ${name} already`;
      findings.push(errorAt([...path, 'name'], message, 'give each session its own name'));
    }
    if (multihop === true && authentication === undefined) {
      const message = 'a multihop session without authentication can be ended from anywhere';
      findings.push(warningAt([...path, 'multihop'], message, 'add authentication'));
    }
  }
  return findings;
}

/** Every node has somebody at the other end who is not itself and does not move. */
function checkPeers(draft: RootDraft, path: ConfigPath, session: SessionDraft): readonly Finding[] {
  const place = session.peer === undefined ? path : [...path, 'peer'];
  for (const [name, node] of draft.nodes ?? []) {
    const here = session.peer?.kind === 'each' ? [...place, name] : place;
    const peer = session.peer === undefined ? undefined : onNode(session.peer, name);
    if (session.peer !== undefined && peer === undefined) continue;
    const fault = nodePeerFault(draft, peer, name);
    if (fault !== undefined) return [errorAt(here, fault.message, fault.hint)];
    if (peer?.kind !== 'address') continue;
    if (peer.address === node?.address) {
      const hint = 'name the other node, or give one for each node';
      return [errorAt(here, `${peer.address} is the address of ${name} itself`, hint)];
    }
    const router = present(draft.virtualRouters).find(([, { addresses }]) =>
      present(addresses).some(([, virtual]) => virtual.address?.address === peer.address),
    )?.[1];
    if (router === undefined) continue;
    const message = `${peer.address} is a virtual address of ${router.name}, which moves`;
    return [errorAt(here, message, 'take an address that stays where it is')];
  }
  return [];
}

function nodePeerFault(
  draft: RootDraft,
  peer: BfdPeer | undefined,
  node: string,
): { readonly message: string; readonly hint: string } | undefined {
  const names = [...(draft.nodes?.keys() ?? [])];
  if (peer?.kind === 'address' || names.length === 0) return undefined;
  if (peer !== undefined && !names.includes(peer.node)) {
    const hint = didYouMean(peer.node, names) ?? `the nodes are ${names.join(', ')}`;
    return { message: `there is no node ${peer.node}`, hint };
  }
  if (peer !== undefined && peer.node !== node) return undefined;
  if (names.length === 2) return undefined;
  const count = names.length === 1 ? 'there is 1 node' : `there are ${names.length} nodes`;
  return {
    message: `which node is the peer of ${node} cannot be told: ${count}`,
    hint: `give one for each node: peer: { ${node}: 192.0.2.2 }`,
  };
}

/** RFC 5881, 3: one session between two systems on an interface. */
function checkPaths(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = new FirstOwners<string>();
  for (const [index, session] of present(draft.bfd)) {
    for (const name of draft.nodes?.keys() ?? []) {
      const place = pathOn(draft, session, name);
      if (place === undefined) continue;
      const owner = session.name ?? `bfd[${index}]`;
      const earlier = owners.claim(`${name} ${place}`, owner);
      if (earlier === undefined || earlier === owner) continue;
      const message = `has the same peer and interface on ${name} as session ${earlier}`;
      findings.push(errorAt(['bfd', index], message, 'one session serves everybody who names it'));
      break;
    }
  }
  return findings;
}

function pathOn(draft: RootDraft, session: SessionDraft, node: string): string | undefined {
  const peer = session.peer === undefined ? undefined : onNode(session.peer, node);
  if (session.peer !== undefined && peer === undefined) return undefined;
  const nodes = [...(draft.nodes ?? [])];
  const other = nodes.find(([name]) => name !== node)?.[1]?.address;
  const named = peer?.kind === 'node' ? draft.nodes?.get(peer.node)?.address : undefined;
  const isSelf = peer === undefined || (peer.kind === 'node' && peer.node === node);
  const address = peer?.kind === 'address' ? peer.address : isSelf ? other : named;
  const where = session.multihop === true ? 'multihop' : sessionInterface(draft, session, node);
  return address === undefined || where === undefined ? undefined : `${where} ${address}`;
}

function sessionInterface(
  draft: RootDraft,
  session: SessionDraft,
  node: string,
): string | undefined {
  if (session.interface !== undefined) return onNode(session.interface, node);
  return draft.nodes?.get(node)?.interface;
}

function checkRouters(draft: RootDraft): readonly Finding[] {
  return present(draft.virtualRouters).flatMap(([index, router]) => {
    const path = ['virtualRouters', index, 'bfd'];
    if (router.bfd === undefined) return [];
    const missing = checkExists(draft, path, router.bfd);
    if (missing.length > 0) return missing;
    const session = present(draft.bfd).find(([, { name }]) => name === router.bfd)?.[1];
    return session === undefined ? [] : checkSpeedUp(draft, path, router, session);
  });
}

function checkExists(draft: RootDraft, path: ConfigPath, name: string): readonly Finding[] {
  const sessions = draft.bfd ?? [];
  const names = sessions.flatMap((session) => session?.name ?? []);
  if (draft.bfd === undefined || names.length < sessions.length) return [];
  if (names.includes(name)) return [];
  const known = names.length > 0 ? `there are ${names.join(', ')}` : 'sessions are made in `bfd`';
  return [errorAt(path, `there is no BFD session ${name}`, didYouMean(name, names) ?? known)];
}

/** A session speaks for the Active only when it goes the way that the advertisements come. */
function checkSpeedUp(
  draft: RootDraft,
  path: ConfigPath,
  router: RouterDraft,
  session: SessionDraft,
): readonly Finding[] {
  if (session.multihop === true) {
    const message = `${session.name} is a multihop session, and VRRP does not pass routers`;
    return [errorAt(path, message, 'name a session on the interface of this router')];
  }
  for (const node of draft.nodes?.keys() ?? []) {
    const here = sessionInterface(draft, session, node);
    const wanted = routerInterface(draft, router, node);
    if (here === undefined || wanted === undefined || here === wanted) continue;
    const message = `${session.name} runs on ${here} of ${node}, and this router on ${wanted}`;
    return [errorAt(path, message, 'a session speaks for its own interface only')];
  }
  const { desiredMinTx, requiredMinRx = desiredMinTx, multiplier } = session;
  const { advertInterval } = router;
  if (desiredMinTx === undefined || requiredMinRx === undefined) return [];
  if (multiplier === undefined || advertInterval === undefined) return [];
  const detectionMs = multiplier * Math.max(desiredMinTx, requiredMinRx);
  if (detectionMs < 3 * advertInterval) return [];
  return [
    warningAt(
      path,
      `has no effect: ${session.name} takes ${detectionMs}ms to notice a failure, and three ` +
        `advertisements are missed in ${3 * advertInterval}ms`,
      'give the session shorter intervals',
    ),
  ];
}

/** The members of a group move together, so the slowest to notice sets the time for all. */
function checkGroups(draft: RootDraft): readonly Finding[] {
  return present(draft.syncGroups).flatMap(([index, { members }]) => {
    const routers = present(members).flatMap(([, member]) =>
      present(draft.virtualRouters).flatMap(([, router]) => (router.name === member ? router : [])),
    );
    const without = routers.filter(({ bfd }) => bfd === undefined);
    if (without.length === 0 || without.length === routers.length) return [];
    const message = `${without.map(({ name }) => name).join(' and ')} has no bfd, and others have`;
    const hint = 'a group takes over only when every member has lost its Active';
    return [warningAt(['syncGroups', index, 'members'], message, hint)];
  });
}

function checkTrackers(draft: RootDraft): readonly Finding[] {
  return present(draft.trackers).flatMap(([index, tracker]) =>
    tracker.type === 'bfd' && tracker.session !== undefined
      ? checkExists(draft, ['trackers', index, 'session'], tracker.session)
      : [],
  );
}
