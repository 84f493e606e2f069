/** Cross checks of `check: { type: bfd }`. */
import { didYouMean } from '../closestWord.js';
import { type ConfigPath, errorAt, type Finding } from '../problem.js';
import { onNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkDrafts } from './checkTimes.js';
import { present } from './present.js';
import type { ServiceDraft } from './services.js';

/** Each server has a session that tells of it, on every node. */
export function checkBfdChecks(
  draft: RootDraft,
  path: ConfigPath,
  service: ServiceDraft,
): readonly Finding[] {
  return checkDrafts(path, service).flatMap(([here, check]) => {
    if (check.type !== 'bfd') return [];
    // A session that could not be read might be the one.
    if (draft.bfd === undefined || draft.bfd.includes(undefined)) return [];
    return check.session === undefined
      ? checkPeers(draft, here, service)
      : checkName(draft, here, check.session);
  });
}

function checkName(draft: RootDraft, path: ConfigPath, session: string): readonly Finding[] {
  const names = present(draft.bfd).flatMap(([, { name }]) => name ?? []);
  if (names.includes(session)) return [];
  const hint = didYouMean(session, names) ?? 'it is configured under `bfd`';
  return [errorAt([...path, 'session'], `there is no BFD session ${session}`, hint)];
}

function checkPeers(draft: RootDraft, path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  for (const [node] of draft.nodes ?? []) {
    const peers = new Set(
      present(draft.bfd).flatMap(([, { peer }]) => {
        const given = peer === undefined ? undefined : onNode(peer, node);
        return given?.kind === 'address' ? [given.address] : [];
      }),
    );
    const alone = present(service.servers).find(
      ([, { address }]) => address !== undefined && !peers.has(address.address),
    );
    if (alone === undefined) continue;
    const [index, { address }] = alone;
    const message = `needs a BFD session of ${node} with servers[${index}], ${address?.address}`;
    return [errorAt(path, message, 'add it to `bfd`, or name a `session` that tells of all')];
  }
  return [];
}
