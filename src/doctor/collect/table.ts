/** Collects the kernel's IPVS table, twice a moment apart, and the connections that wait. */
import { TandemError } from '../../errors.js';
import type { ListedTableService } from '../../ipvs/table.js';
import { readIpvsConnections } from '../../kernel/ipvsConnections.js';
import { type IpvsTable, openIpvsTable } from '../../kernel/ipvsTable.js';
import type { SyncDaemon } from '../../wire/ipvsModel.js';
import { formatServerIdentity, formatServiceIdentity } from '../../wire/ipvsText.js';
import { connectionsOf, type TableConnections, waitingInBoth } from '../connectionRows.js';
import type { ServiceFact, TableFacts } from '../facts.js';

/** The time that reading takes grows with the square before Linux 6.14; this many take no time. */
const connectionsMax = 20_000;

/** The first look at the table. */
export interface FirstLook {
  readonly services: readonly ListedTableService[];
  readonly connections: TableConnections;
  readonly daemons: readonly SyncDaemon[];
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
}

/** Looks once; what keeps it from looking is a value. */
export async function firstLook(
  notLookedAt: string[],
): Promise<FirstLook | (TableFacts & { readonly kind: 'unreadable' })> {
  let table: IpvsTable | undefined;
  try {
    table = await openIpvsTable();
    const services = await readServices(table);
    return {
      services,
      connections: readConnections(services, notLookedAt),
      daemons: await table.daemons(),
      atMs: performance.now(),
    };
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const { code, message } = error;
    const reasons: Readonly<Record<string, 'permission' | 'absent'>> = {
      PERMISSION: 'permission',
      IPVS_UNAVAILABLE: 'absent',
    };
    return { kind: 'unreadable', reason: reasons[code] ?? 'other', message };
  } finally {
    table?.close();
  }
}

/** Looks again and tells what has happened since. Throws as {@link openIpvsTable}. */
export async function secondLook(first: FirstLook): Promise<TableFacts> {
  const table = await openIpvsTable();
  try {
    const services = await readServices(table);
    const elapsedMs = performance.now() - first.atMs;
    const { waiting, templates } = readConnections(services, []);
    return {
      kind: 'read',
      services: services.map((entry) => withChanges(entry, first.services)),
      waiting: waitingInBoth(first.connections.waiting, waiting, elapsedMs),
      templates,
      daemons: first.daemons,
    };
  } finally {
    table.close();
  }
}

async function readServices(table: IpvsTable): Promise<readonly ListedTableService[]> {
  const entries: ListedTableService[] = [];
  for (const service of await table.services()) {
    entries.push({ service, servers: await table.servers(service.identity) });
  }
  return entries;
}

function withChanges(
  { service, servers }: ListedTableService,
  before: readonly ListedTableService[],
): ServiceFact {
  const key = formatServiceIdentity(service.identity);
  const old = before.find((entry) => formatServiceIdentity(entry.service.identity) === key);
  return {
    service,
    servers: servers.map((server) => {
      const name = formatServerIdentity(server);
      const was = old?.servers.find((entry) => formatServerIdentity(entry) === name)?.statistics;
      const { incomingPackets, outgoingPackets } = server.statistics;
      return {
        server,
        incomingNow: incomingPackets - (was?.incomingPackets ?? 0n),
        outgoingNow: outgoingPackets - (was?.outgoingPackets ?? 0n),
      };
    }),
  };
}

function readConnections(
  services: readonly ListedTableService[],
  notLookedAt: string[],
): TableConnections {
  const count = services
    .flatMap(({ servers }) => servers)
    .reduce((sum, server) => sum + server.activeConnections + server.inactiveConnections, 0);
  if (count <= connectionsMax) return connectionsOf(readIpvsConnections());
  notLookedAt.push(
    `the ${count} connections: more than ${connectionsMax} take the kernel too long`,
  );
  return { waiting: [], templates: [] };
}
