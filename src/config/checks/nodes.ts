/** Cross checks of `nodes`, and of values that are given per node. */
import { didYouMean } from '../closestWord.js';
import { type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import type { PerNode } from '../schema/containerTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { FirstOwners } from './present.js';

/** Each node has an address of its own; one node alone has nobody to take over. */
export function checkNodes(draft: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const owners = new FirstOwners<string>();
  for (const [name, node] of draft.nodes ?? []) {
    if (node?.address === undefined) continue;
    const earlier = owners.claim(node.address, name);
    if (earlier === undefined) continue;
    findings.push(
      errorAt(
        ['nodes', name, 'address'],
        `${node.address} is the address of node ${earlier} already`,
        'each node has its own',
      ),
    );
  }
  if (draft.nodes?.size === 1) {
    findings.push(
      warningAt(['nodes'], 'there is one node only: nobody takes over when it dies', 'add another'),
    );
  }
  return findings;
}

/** The names of a value per node are nodes, and every node has a value. */
export function checkPerNode(
  draft: RootDraft,
  path: ConfigPath,
  value: PerNode<unknown> | undefined,
): readonly Finding[] {
  if (value?.kind !== 'each' || draft.nodes === undefined) return [];
  const nodes = draft.nodes;
  const unknown = [...value.values.keys()].filter((name) => !nodes.has(name));
  const missing = [...nodes.keys()].filter((name) => !value.values.has(name));
  const findings = unknown.map((name): Finding => {
    const hint = didYouMean(name, missing) ?? `the nodes are ${[...nodes.keys()].join(', ')}`;
    return { ...errorAt([...path, name], `there is no node ${name}`, hint), at: 'key' };
  });
  if (missing.length > 0) {
    const names = missing.join(' and ');
    findings.push(errorAt(path, `lacks a value for ${names}`, 'give one for every node'));
  }
  return findings;
}
