/** Refuses a reload that would remove so much that it is likely a mistake. Pure. */
import type { ServiceConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import { serverId } from '../ipvs/desired.js';
import { formatServiceIdentity } from '../wire/ipvsText.js';

/** Names that a message lists at most. */
const namesShown = 20;

/** Throws `AGENT_REFUSED` that names what would go, when it is more than `maxShare` (0..1). */
export function refuseLargeRemoval(
  before: readonly ServiceConfig[],
  after: readonly ServiceConfig[],
  maxShare: number,
): void {
  const problem = largeRemoval(before, after, maxShare);
  if (problem === undefined) return;
  throw new TandemError('AGENT_REFUSED', problem, {
    hint: 'If that is meant: tandem reload --force. The limit is reload.maxRemovedShare.',
  });
}

/** What is too much of a change, in words; `undefined` when it is not. */
export function largeRemoval(
  before: readonly ServiceConfig[],
  after: readonly ServiceConfig[],
  maxShare: number,
): string | undefined {
  if (keepsAll(before, after)) return undefined;
  const kinds = [['services', listenerNames] as const, ['servers', serverNames] as const];
  for (const [noun, namesOf] of kinds) {
    const old = namesOf(before);
    const kept = namesOf(after);
    const gone = [...old].filter((name) => !kept.has(name));
    if (gone.length === 0 || gone.length <= old.size * maxShare) continue;
    const more = gone.length - namesShown;
    const names = gone.slice(0, namesShown).join(', ') + (more > 0 ? ` and ${more} more` : '');
    const limit = `${Math.round(maxShare * 100)}%`;
    const count = `${gone.length} of ${old.size} ${noun}`;
    return `the reload would remove ${count}, more than ${limit}: ${names}`;
  }
  return undefined;
}

/** Whether all services are where they were, with their servers in order: the common case. */
function keepsAll(before: readonly ServiceConfig[], after: readonly ServiceConfig[]): boolean {
  const byName = new Map(after.map((service) => [service.name, service]));
  return before.every((service) => {
    const { name, listeners, servers } = service;
    const kept = byName.get(name);
    if (kept === service) return true;
    if (kept === undefined) return false;
    const keys = new Set(kept.listeners.map(formatServiceIdentity));
    if (!listeners.every((listener) => keys.has(formatServiceIdentity(listener)))) return false;
    return servers.every((server, index) => {
      const other = kept.servers[index];
      return server.address === other?.address && server.port === other.port;
    });
  });
}

/** What clients reach; a service that is only renamed is not removed. */
function listenerNames(services: readonly ServiceConfig[]): ReadonlySet<string> {
  return new Set(services.flatMap(({ listeners }) => listeners.map(formatServiceIdentity)));
}

function serverNames(services: readonly ServiceConfig[]): ReadonlySet<string> {
  return new Set(
    services.flatMap(({ listeners, servers }) =>
      listeners.flatMap((listener) =>
        servers.map((server) => serverId(formatServiceIdentity(listener), server)),
      ),
    ),
  );
}
