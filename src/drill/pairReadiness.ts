/** Starts both directors and waits until the pair works as configured. */
import type { StatusDocument } from '../api/statusModel.js';
import type { Lab } from './lab.js';
import { directorNames, type Topology } from './topology.js';

/** Who has which role. */
export interface PairRoles {
  readonly active: string;
  readonly standby: string;
}

/** Starts the agents and waits for one Active, one Backup, and all servers up on both. */
export async function startPair(lab: Lab, timeoutMs: number): Promise<PairRoles> {
  const byPriority = [...directorNames(lab.topology)].sort(
    (left, right) => (lab.topology.priorities[right] ?? 0) - (lab.topology.priorities[left] ?? 0),
  );
  const [active = '', standby = ''] = byPriority;
  // One after the other, the preferred first: so it is Active from the start, and no preemption
  // disturbs the warming up.
  for (const node of [active, standby]) {
    lab.startAgent(node);
    await lab.agent(node).waitForStatus('answered', timeoutMs, () => true);
  }
  await lab
    .agent(active)
    .waitForStatus('become Active', timeoutMs, (status) => isReady(status, lab.topology, 'active'));
  await lab
    .agent(standby)
    .waitForStatus('become Backup', timeoutMs, (status) => isReady(status, lab.topology, 'backup'));
  return { active, standby };
}

/** Whether every virtual router has a state and every server is up with its configured weight. */
export function isReady(
  status: StatusDocument,
  topology: Topology,
  state: 'active' | 'backup',
): boolean {
  const servers = status.services.flatMap((service) => service.servers);
  return (
    status.virtualRouters.length === topology.virtualRouters.length &&
    status.virtualRouters.every((router) => router.state === state) &&
    servers.length === topology.services.length * topology.servers.length &&
    servers.every(
      ({ check, weight }) => check?.state === 'up' && weight.kernel === weight.configured,
    )
  );
}

/** Whether a director is Active for every virtual router. */
export function isActive(status: StatusDocument): boolean {
  return status.virtualRouters.every((router) => router.state === 'active');
}
