/** Cross checks of `connectionSync`: what each mode needs, and which keys mean nothing to it. */
import { familyOf } from '../../wire/ipAddress.js';
import { errorAt, type Finding, warningAt } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkPerNode } from './nodes.js';

/** All of them. */
export function checkConnectionSync(draft: RootDraft): readonly Finding[] {
  const { connectionSync: sync } = draft;
  return [
    ...checkPerNode(draft, ['connectionSync', 'interface'], sync.interface),
    ...(sync.mode === 'relay' ? checkRelay(draft) : []),
  ];
}

function checkRelay({ connectionSync: sync, peering }: RootDraft): readonly Finding[] {
  const findings: Finding[] = [];
  const complain = (key: string, message: string, hint?: string): void => {
    findings.push(errorAt(['connectionSync', key], message, hint));
  };
  if (peering === undefined) {
    complain('mode', 'relay needs `peering`, whose channel carries it', 'add peering with a key');
  }
  if (sync.group !== undefined && familyOf(sync.group) !== 4) {
    complain('group', 'must be an IPv4 group with mode relay', 'for example 224.0.0.81');
  }
  const { ports, port = 8848 } = sync;
  if (ports !== undefined && (ports & (ports - 1)) !== 0) {
    complain('ports', `must be a power of two, got ${ports}`, 'the kernel takes no other');
  }
  const last = port + 2 * (ports ?? 1) - 1;
  if (last > 65_535) complain('port', `leaves no room: the last port would be ${last}`);
  for (const key of ['interface', 'ttl', 'maxLength'] as const) {
    if (sync[key] === undefined) continue;
    findings.push(warningAt(['connectionSync', key], 'means nothing with mode relay'));
  }
  return findings;
}
