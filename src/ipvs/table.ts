/** A whole IPVS table as a value. Pure. */
import { sameServer } from '../wire/ipvsEquality.js';
import type { IpvsServer, IpvsService, ListedServer, ListedService } from '../wire/ipvsModel.js';
import { formatServerIdentity, formatServiceIdentity } from '../wire/ipvsText.js';

/** A service with its servers. */
export interface TableService<
  Service extends IpvsService = IpvsService,
  Server extends IpvsServer = IpvsServer,
> {
  readonly service: Service;
  readonly servers: readonly Server[];
}

/** A service with its servers as the kernel lists them. */
export type ListedTableService = TableService<ListedService, ListedServer>;

/** A text that tells a service from every other: `tcp://10.0.0.1:80`. */
export type ServiceKey = string;

/** A text that tells a server from every other of its service: `10.0.0.2:80`. */
export type ServerKey = string;

/** A service with its servers by key. */
export interface IndexedService<Service extends IpvsService, Server extends IpvsServer> {
  readonly service: Service;
  readonly servers: ReadonlyMap<ServerKey, Server>;
}

/** A table by key. */
export type IndexedTable<
  Service extends IpvsService = IpvsService,
  Server extends IpvsServer = IpvsServer,
> = ReadonlyMap<ServiceKey, IndexedService<Service, Server>>;

/**
 * A table by key. A dump that was read while the table changed may list something twice; the last
 * one counts.
 */
export function indexTable<Service extends IpvsService, Server extends IpvsServer>(
  table: readonly TableService<Service, Server>[],
): IndexedTable<Service, Server> {
  return new Map(
    table.map(({ service, servers }) => [
      formatServiceIdentity(service.identity),
      {
        service,
        servers: new Map(servers.map((server) => [formatServerIdentity(server), server])),
      },
    ]),
  );
}

/** Services by key. */
export function byServiceKey<Entry extends TableService>(
  entries: readonly Entry[],
): ReadonlyMap<ServiceKey, Entry> {
  return new Map(entries.map((entry) => [formatServiceIdentity(entry.service.identity), entry]));
}

/** Whether a service has the same servers in the same order, with the same weights and limits. */
export function hasSameServers(before: TableService, after: TableService): boolean {
  return (
    before.servers.length === after.servers.length &&
    before.servers.every((server, index) => {
      const other = after.servers[index];
      return other !== undefined && sameServer(server, other);
    })
  );
}
