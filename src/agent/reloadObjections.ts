/** What a running agent does not take from a new configuration, and why. */
import type { TandemConfig } from '../config/model.js';
import { TandemError } from '../errors.js';
import { formatEndpoint } from '../wire/ipAddress.js';
import { requireInterfaces } from './interfaces.js';
import { refuseLargeRemoval } from './removalLimit.js';
import { requireUsers } from './users.js';

/** Why a reload of this configuration would be refused, in words. */
export function reloadObjections(before: TandemConfig, after: TandemConfig): readonly string[] {
  const limit = before.reload.maxRemovedShare;
  return [
    () => refuseFixedChanges(before, after),
    () => refuseLargeRemoval(before.services, after.services, limit),
    () => requireInterfaces(after),
    () => requireUsers(after),
  ].flatMap((demand) => {
    try {
      demand();
      return [];
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      return [`a reload would be refused: ${error.message}`];
    }
  });
}

/** Throws `AGENT_REFUSED` for what a running agent cannot change: who it is, where it listens. */
export function refuseFixedChanges(before: TandemConfig, after: TandemConfig): void {
  const fixed: readonly (readonly [string, string, string])[] = [
    ['the name of this node', before.node.name, after.node.name],
    ['cluster', before.cluster, after.cluster],
    ['api.socket', before.api.socket, after.api.socket],
    ['api.listen', listenText(before), listenText(after)],
    ['overrides.stateFile', before.overrides.stateFile, after.overrides.stateFile],
  ];
  for (const [what, old, wanted] of fixed) {
    if (old === wanted) continue;
    throw new TandemError(
      'AGENT_REFUSED',
      `${what} cannot change from ${old} to ${wanted} by reload`,
      {
        hint: 'Restart the agent to change it.',
      },
    );
  }
}

function listenText({ api: { listen } }: TandemConfig): string {
  return listen === undefined ? 'none' : formatEndpoint(listen.address, listen.port);
}
