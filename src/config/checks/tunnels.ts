/** Cross checks of `tunnel`, and of the engine that tells persistent clients apart. */
import { errorAt, type Finding } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { present } from './present.js';

/** How packets are wrapped is said only where something is wrapped. */
export function checkTunnels(draft: RootDraft): readonly Finding[] {
  return present(draft.services).flatMap(([index, service]) => {
    const path = ['services', index];
    const servers = [
      ...present(service.servers).map(([place, server]) => ({
        server,
        here: [...path, 'servers', place],
      })),
      ...(service.sorryServer === undefined
        ? []
        : [{ server: service.sorryServer, here: [...path, 'sorryServer'] }]),
    ];
    const findings: Finding[] = [];
    for (const { server, here } of servers) {
      const forward = server.forward ?? service.forward;
      if (server.tunnel === undefined || forward === undefined || forward === 'tunnel') continue;
      const message = `is for forward tunnel, and this server has forward ${forward}`;
      findings.push(errorAt([...here, 'tunnel'], message, 'remove it'));
    }
    const isTunnelled = servers.some(
      ({ server }) => (server.forward ?? service.forward ?? 'tunnel') === 'tunnel',
    );
    if (service.tunnel !== undefined && !isTunnelled) {
      const message = 'is for forward tunnel, and no server here has it';
      findings.push(errorAt([...path, 'tunnel'], message, 'remove it'));
    }
    return findings;
  });
}

/** The SIP engine reads UDP only: the kernel drops every other packet of such a service. */
export function checkPersistenceEngines(draft: RootDraft): readonly Finding[] {
  return present(draft.services).flatMap(([index, service]) => {
    if (service.persistence?.engine !== 'sip') return [];
    const other = present(service.listen).find(([, { protocol }]) => protocol !== 'udp');
    if (other === undefined) return [];
    const path = ['services', index, 'persistence', 'engine'];
    const message = `sip reads UDP only, and this service listens to ${other[1].protocol}`;
    return [errorAt(path, message, 'make a service of its own for each protocol')];
  });
}
