/** Everything that no single value can tell: what the parts of a configuration owe each other. */
import { errorAt, type Finding } from '../problem.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { checkAdvertisements } from './advertisements.js';
import { checkBfd } from './bfd.js';
import { checkHooks } from './commands.js';
import { checkConnectionSync } from './connectionSync.js';
import { checkMarks } from './marks.js';
import { checkMoving } from './moving.js';
import { checkNodes } from './nodes.js';
import { checkPeering } from './peering.js';
import { present } from './present.js';
import { checkServers } from './servers.js';
import { checkServiceHealth } from './serviceHealth.js';
import { checkServices } from './services.js';
import { checkSyncGroups } from './syncGroups.js';
import { checkTrackers } from './trackers.js';
import { checkPersistenceEngines, checkTunnels } from './tunnels.js';
import { checkVirtualAddresses } from './virtualAddresses.js';
import { checkVirtualRouters } from './virtualRouters.js';

/** All cross checks, from the point of view of every node at once. */
export function crossChecks(draft: RootDraft): readonly Finding[] {
  return [
    ...checkNodes(draft),
    ...checkVirtualRouters(draft),
    ...checkVirtualAddresses(draft),
    ...checkAdvertisements(draft),
    ...checkMoving(draft),
    ...checkSyncGroups(draft),
    ...checkBfd(draft),
    ...checkTrackers(draft),
    ...checkHooks(draft),
    ...checkServices(draft),
    ...checkMarks(draft),
    ...checkServers(draft),
    ...checkTunnels(draft),
    ...checkPersistenceEngines(draft),
    ...checkServiceHealth(draft),
    ...checkPeering(draft),
    ...checkConnectionSync(draft),
  ];
}

/**
 * Each service has either `listen` or `fwmark`. Judged on the plain value, because a draft cannot
 * tell a key that is missing from one that is wrong.
 */
export function checkIdentityGiven(
  draft: RootDraft,
  isGiven: (path: readonly (string | number)[]) => boolean,
): readonly Finding[] {
  return present(draft.services).flatMap(([index]) => {
    const path = ['services', index];
    if (isGiven([...path, 'listen']) || isGiven([...path, 'fwmark'])) return [];
    return [errorAt(path, 'needs `listen` or `fwmark`', 'for example listen: tcp://192.0.2.1:80')];
  });
}
