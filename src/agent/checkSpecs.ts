/** The checks that the health threads run for the configured services. Pure. */
import { createHash } from 'node:crypto';
import type { CheckConfig, ServiceConfig } from '../config/model.js';
import { checksOf } from '../config/serviceChecks.js';
import type { BoardServer, BoardService } from '../health/healthBoard.js';
import type { ProbeSpec } from '../health/probeSpec.js';
import type { CheckSpec } from '../health/protocol.js';
import { serverId } from '../ipvs/desired.js';
import { formatEndpoint } from '../wire/ipAddress.js';

/** The probe of a configured check, with what it has in files. */
export type ProbeOf = (check: CheckConfig) => ProbeSpec;

/** What is to be checked, and whom it is for. */
export interface CheckPlan {
  /** Each is different: equal checks of one backend run once, whatever services it is in. */
  readonly specs: readonly CheckSpec[];
  /** Every server that has checks, with the ids of these. */
  readonly services: readonly BoardService[];
}

/**
 * Two checks that are written alike are one, also when they have files: a file has one content.
 *
 * @param isActive whether this node is Active for a service; services that are checked only then
 *   keep their servers, without a check that runs
 */
export function planChecks(
  services: readonly ServiceConfig[],
  probeOf: ProbeOf,
  isActive: (service: ServiceConfig) => boolean = () => true,
): CheckPlan {
  const specs = new Map<string, CheckSpec>();
  const planned: BoardService[] = [];
  for (const service of services) {
    const checks = checksOf(service);
    if (checks.length === 0) continue;
    const runs = service.health?.checkOnlyWhenActive !== true || isActive(service);
    const servers = service.servers.map((server): BoardServer => {
      const checkIds = checks.map((check) => {
        const address = check.address ?? server.address;
        const target = { address, port: check.port ?? server.port, timing: check.timing };
        const id = checkId({ ...target, probe: check.probe });
        if (runs) specs.set(id, { id, ...target, probe: probeOf(check) });
        return id;
      });
      return { id: serverId(service.name, server), weight: server.weight, checkIds };
    });
    const { health } = service;
    planned.push({
      name: service.name,
      servers,
      rules: {
        startDown: health?.startDown ?? false,
        ...(health?.slowStart === undefined ? {} : { slowStart: health.slowStart }),
        ...(health?.flapDamping === undefined ? {} : { flapDamping: health.flapDamping }),
        needed: Math.min(service.checksNeeded ?? checks.length, checks.length),
      },
      ...(health?.quorum === undefined ? {} : { quorum: health.quorum }),
    });
  }
  return { specs: [...specs.values()], services: planned };
}

/**
 * A name that equal checks share: `tcp 192.0.2.1:80 5f0c2a91`. The digest covers all that a check
 * is, so that a reload which changes any of it makes another check. It covers the names of files
 * and not what is in them: names are logged, and secrets leave no trace there.
 */
function checkId(
  spec: Omit<CheckSpec, 'id' | 'probe'> & { readonly probe: CheckConfig['probe'] },
): string {
  const digest = createHash('sha256').update(canonicalText(spec)).digest('hex').slice(0, 8);
  return `${spec.probe.type} ${formatEndpoint(spec.address, spec.port)} ${digest}`;
}

/** JSON whose keys are in order, so that equal values have equal texts. */
function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(
      Object.entries(item).toSorted(([left], [right]) => (left < right ? -1 : 1)),
    );
  });
}
