/** From facts to findings. Pure. */
import { virtualAddressHolders } from './director/addressFindings.js';
import { droppedAdvertisements, firewallDrops } from './director/firewallFindings.js';
import { missingMarks } from './director/markFindings.js';
import {
  backupOnly,
  connectionTracking,
  forwardingOff,
  linksDown,
  reversePathFilter,
} from './director/pathFindings.js';
import {
  clientsBesideServers,
  gatewayElsewhere,
  missingOnServers,
  narrowTunnels,
  unexplainedSilence,
  unreachableServers,
} from './director/serverFindings.js';
import { syncSettings } from './director/syncFindings.js';
import {
  absentServices,
  badConfiguration,
  emptyServices,
  missingAgent,
  schedulers,
  stayingClients,
  troubledAgent,
  unreadableTable,
} from './director/tableFindings.js';
import type { DirectorFacts, RealServerFacts } from './facts.js';
import { byLikelihood, type Finding } from './findings.js';
import { realServerFindings } from './server/serverFindings.js';

/** Each looks for one kind of fault. */
const directorRules: readonly ((facts: DirectorFacts) => readonly Finding[])[] = [
  unreadableTable,
  badConfiguration,
  linksDown,
  forwardingOff,
  firewallDrops,
  gatewayElsewhere,
  clientsBesideServers,
  missingOnServers,
  virtualAddressHolders,
  droppedAdvertisements,
  reversePathFilter,
  unreachableServers,
  missingAgent,
  troubledAgent,
  absentServices,
  schedulers,
  missingMarks,
  emptyServices,
  backupOnly,
  stayingClients,
  narrowTunnels,
  syncSettings,
  connectionTracking,
];

/** What is wrong on a director, the likeliest first. */
export function diagnoseDirector(facts: DirectorFacts): readonly Finding[] {
  const found = directorRules.flatMap((rule) => rule(facts));
  return byLikelihood([...found, ...unexplainedSilence(facts, found)]);
}

/** What is wrong on a real server, the likeliest first. */
export function diagnoseRealServer(facts: RealServerFacts): readonly Finding[] {
  return byLikelihood(realServerFindings(facts));
}
