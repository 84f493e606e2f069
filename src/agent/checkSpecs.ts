/** The checks that the health thread runs for the configured services. Pure. */
import type { ServiceConfig } from '../config/model.js';
import type { CheckSpec } from '../health/protocol.js';
import { serverId } from '../ipvs/desired.js';

/** One check for every server of every service that has one. */
export function checkSpecs(services: readonly ServiceConfig[]): readonly CheckSpec[] {
  return services.flatMap((service) => {
    const { check } = service;
    if (check === undefined) return [];
    return service.servers.map((server) => ({
      id: serverId(service.name, server),
      address: server.address,
      port: check.port ?? server.port,
      probe: check.probe,
      timing: check.timing,
    }));
  });
}
