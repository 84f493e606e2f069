/** What must change in the kernel's table so that it is as desired. Pure. */
import { sameServer, sameServiceSettings } from '../wire/ipvsEquality.js';
import type { IpvsOperation, IpvsServer, ServiceIdentity } from '../wire/ipvsModel.js';
import { keptAttributes } from '../wire/ipvsService.js';
import {
  type IndexedTable,
  indexTable,
  type ServerKey,
  type ServiceKey,
  type TableService,
} from './table.js';

/** What a comparison found. */
export interface TableDifference {
  /** In the order in which they must be sent. */
  readonly operations: readonly IpvsOperation[];
  /** Services that belong to somebody else; they are left alone. */
  readonly foreignServices: number;
}

/**
 * Compares the desired table with the actual one.
 *
 * A service is ours when it is desired, or when `retired` names it: it was desired before and is
 * to go. Every other service belongs to somebody else, and nothing of it is touched. Inside our
 * services, servers that are not desired are deleted.
 *
 * The order keeps clients served: a service comes before its servers; servers come in or gain
 * weight before others lose weight or go; services that go come last. Nothing is ever flushed.
 */
export function diffTables(
  desired: readonly TableService[],
  actual: readonly TableService[],
  retired: ReadonlySet<ServiceKey>,
): TableDifference {
  return diffIndexed(indexTable(desired), indexTable(actual), retired);
}

/** The same of tables by key. */
export function diffIndexed(
  desired: IndexedTable,
  actual: IndexedTable,
  retired: ReadonlySet<ServiceKey>,
): TableDifference {
  const operations: IpvsOperation[] = [];
  for (const [key, wanted] of desired) {
    const found = actual.get(key);
    if (found === undefined) {
      operations.push({ kind: 'add-service', service: wanted.service });
    } else if (!sameServiceSettings(wanted.service, found.service)) {
      const service = { ...keptAttributes(found.service), ...wanted.service };
      operations.push({ kind: 'edit-service', service });
    }
    const service = wanted.service.identity;
    operations.push(...diffServers(service, wanted.servers, found?.servers ?? new Map()));
  }
  let foreignServices = 0;
  for (const [key, found] of actual) {
    if (desired.has(key)) continue;
    if (retired.has(key)) {
      operations.push({ kind: 'delete-service', service: found.service.identity });
    } else {
      foreignServices += 1;
    }
  }
  return { operations, foreignServices };
}

/**
 * What to do next about a change that the kernel refused because its table had changed between the
 * dump and the change: nothing more when it is so already, or the change that fits; `undefined`
 * when the refusal has another cause.
 */
export function followUp(
  operation: IpvsOperation,
  errnoName: string | undefined,
): IpvsOperation | 'already-done' | undefined {
  switch (operation.kind) {
    case 'add-service':
      return errnoName === 'EEXIST' ? { ...operation, kind: 'edit-service' } : undefined;
    case 'edit-service':
      return errnoName === 'ESRCH' ? { ...operation, kind: 'add-service' } : undefined;
    case 'delete-service':
      return errnoName === 'ESRCH' ? 'already-done' : undefined;
    case 'add-server':
      return errnoName === 'EEXIST' ? { ...operation, kind: 'edit-server' } : undefined;
    case 'edit-server':
      return errnoName === 'ENOENT' ? { ...operation, kind: 'add-server' } : undefined;
    case 'delete-server':
      // ESRCH: its service is gone, and its servers with it.
      return errnoName === 'ENOENT' || errnoName === 'ESRCH' ? 'already-done' : undefined;
  }
}

function diffServers(
  service: ServiceIdentity,
  desired: ReadonlyMap<ServerKey, IpvsServer>,
  actual: ReadonlyMap<ServerKey, IpvsServer>,
): readonly IpvsOperation[] {
  const gains: IpvsOperation[] = [];
  const losses: IpvsOperation[] = [];
  for (const [key, server] of desired) {
    const found = actual.get(key);
    if (found === undefined) {
      gains.push({ kind: 'add-server', service, server });
    } else if (!sameServer(server, found)) {
      const edits = server.weight < found.weight ? losses : gains;
      edits.push({
        kind: 'edit-server',
        service,
        server: { ...keptAttributes(found), ...server },
      });
    }
  }
  for (const [key, { address, port }] of actual) {
    if (desired.has(key)) continue;
    losses.push({ kind: 'delete-server', service, server: { address, port } });
  }
  return [...gains, ...losses];
}
