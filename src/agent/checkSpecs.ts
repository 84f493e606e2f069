/** The checks that the health thread runs for the configured services, with their files read. */
import type { ServiceConfig } from '../config/model.js';
import type { CheckSpec } from '../health/protocol.js';
import { serverId } from '../ipvs/desired.js';
import { probeWithFiles } from './checkFiles.js';

/** One check for every server of every service that has one. Throws `CHECK_FILE_UNUSABLE`. */
export function checkSpecs(services: readonly ServiceConfig[]): readonly CheckSpec[] {
  return services.flatMap((service) => {
    const { check } = service;
    if (check === undefined) return [];
    // One object for all servers, so that what is made of it is made once.
    const probe = probeWithFiles(check, service.name);
    return service.servers.map((server) => ({
      id: serverId(service.name, server),
      address: check.address ?? server.address,
      port: check.port ?? server.port,
      probe,
      timing: check.timing,
    }));
  });
}
