/** For which services this node is Active. Pure. */
import type { ServiceConfig, TandemConfig } from '../config/model.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';

/**
 * A service belongs to the virtual routers that hold the addresses of its listeners; one on a
 * firewall mark, or on addresses that no router holds, belongs to all of them. On a node without
 * virtual routers every service is active.
 */
export function activeServices(
  config: TandemConfig | undefined,
  reports: readonly Pick<VirtualRouterReport, 'name' | 'state'>[],
): (service: ServiceConfig) => boolean {
  const routers = config?.virtualRouters ?? [];
  if (routers.length === 0) return () => true;
  const active = new Set(reports.filter(({ state }) => state === 'active').map(({ name }) => name));
  return (service) => {
    const addresses = new Set(
      service.listeners.flatMap((each) => (each.kind === 'address' ? [each.address] : [])),
    );
    const holders = routers.filter(({ addresses: held }) =>
      held.some((entry) => addresses.has(entry.prefix.address)),
    );
    return (holders.length === 0 ? routers : holders).some(({ name }) => active.has(name));
  };
}
