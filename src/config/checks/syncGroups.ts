/** Cross checks of `syncGroups`. */
import { didYouMean } from '../closestWord.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import { onNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { FirstOwners, present } from './present.js';

/** All of them. */
export function checkSyncGroups(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const groupNames = new FirstOwners<number>();
  const groupOfMember = new FirstOwners<string>();
  const routers = routerNames(draft);
  for (const [index, group] of present(draft.syncGroups)) {
    const path = ['syncGroups', index];
    const groupName = group.name ?? `syncGroups[${index}]`;
    const earlier = group.name === undefined ? undefined : groupNames.claim(group.name, index);
    if (earlier !== undefined) {
      findings.push(
        errorAt(
          [...path, 'name'],
          `syncGroups[${earlier}] is called ${groupName} already`,
          'give each group its own name',
        ),
      );
    }
    for (const [memberIndex, member] of present(group.members)) {
      const here = [...path, 'members', memberIndex];
      if (routers.complete && !routers.names.includes(member)) {
        const hint =
          didYouMean(member, routers.names) ??
          (routers.names.length > 0 ? `there are ${routers.names.join(', ')}` : undefined);
        findings.push(errorAt(here, `there is no virtual router ${member}`, hint));
        continue;
      }
      const other = groupOfMember.claim(member, groupName);
      if (other === undefined) continue;
      const message = `${member} is in sync group ${other} already`;
      findings.push(errorAt(here, message, 'a virtual router is in one group at most'));
    }
    findings.push(...checkSameOrder(draft, path, group.members));
  }
  return findings;
}

/** Names of the routers; not `complete` when some router has none that could be read. */
function routerNames(draft: RootDraft): { names: readonly string[]; complete: boolean } {
  const routers = draft.virtualRouters ?? [];
  const names = routers.flatMap((router) => (router?.name === undefined ? [] : [router.name]));
  return { names, complete: names.length === routers.length && draft.virtualRouters !== undefined };
}

/** Members that prefer different nodes would pull the group to and fro. */
function checkSameOrder(
  draft: RootDraft,
  path: ConfigPath,
  members: readonly (string | undefined)[] | undefined,
): readonly Finding[] {
  let first: { readonly member: string; readonly node: string } | undefined;
  for (const [, member] of present(members)) {
    const node = preferredNode(draft, member);
    if (node === undefined) continue;
    if (first === undefined) first = { member, node };
    if (first.node === node) continue;
    return [
      warningAt(
        [...path, 'members'],
        `${first.member} prefers ${first.node} and ${member} prefers ${node}`,
        'members of a sync group move together: give them the same order of priorities',
      ),
    ];
  }
  return [];
}

/** The node with the highest priority for a router; `undefined` when several have it. */
function preferredNode(draft: RootDraft, routerName: string): string | undefined {
  const router = draft.virtualRouters?.find((candidate) => candidate?.name === routerName);
  if (router?.priority === undefined) return undefined;
  let best: { readonly node: string | undefined; readonly priority: number } | undefined;
  for (const node of draft.nodes?.keys() ?? []) {
    const priority = onNode(router.priority, node);
    if (priority === undefined) return undefined;
    if (best === undefined || priority > best.priority) best = { node, priority };
    else if (priority === best.priority) best = { node: undefined, priority };
  }
  return best?.node;
}
