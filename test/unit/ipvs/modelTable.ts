/**
 * An IPVS table in memory that accepts and refuses changes as the kernel does (measured errno
 * values), to test what is built on it in virtual time. test/kernel runs the same on real IPVS.
 */
import { TandemError } from '../../../src/errors.js';
import type { ReconcilerTable } from '../../../src/ipvs/reconcilerModel.js';
import type { TableService } from '../../../src/ipvs/table.js';
import type {
  IpvsOperation,
  IpvsServer,
  IpvsService,
  ListedServer,
  ListedService,
  ServerIdentity,
  ServiceIdentity,
} from '../../../src/wire/ipvsModel.js';
import { noStatistics } from '../../../src/wire/ipvsStatistics.js';
import { formatServerIdentity, formatServiceIdentity } from '../../../src/wire/ipvsText.js';

interface Entry {
  service: ListedService;
  readonly servers: Map<string, ListedServer>;
}

/** Schedulers that the model has; adding a service with another is refused with ENOENT. */
const schedulers: ReadonlySet<string> = new Set(['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh']);

export class ModelTable implements ReconcilerTable {
  readonly #entries = new Map<string, Entry>();
  /** Every batch that was applied. */
  readonly batches: (readonly IpvsOperation[])[] = [];
  /** Services whose servers were listed, in order. */
  readonly asked: string[] = [];
  /** Thrown by every call while set. */
  failure: TandemError | undefined;
  /** Runs once, before the next changes: another program that comes between dump and change. */
  intruder: (() => void) | undefined;

  constructor(table: readonly TableService[] = []) {
    for (const { service, servers } of table) {
      this.change({ kind: 'add-service', service });
      for (const server of servers) {
        this.change({ kind: 'add-server', service: service.identity, server });
      }
    }
  }

  async services(): Promise<readonly ListedService[]> {
    if (this.failure !== undefined) throw this.failure;
    return [...this.#entries.values()].map((entry) => entry.service);
  }

  async servers(service: ServiceIdentity): Promise<readonly ListedServer[]> {
    if (this.failure !== undefined) throw this.failure;
    const entry = this.#entries.get(formatServiceIdentity(service));
    this.asked.push(formatServiceIdentity(service));
    return entry === undefined ? [] : [...entry.servers.values()].reverse();
  }

  async apply(operations: readonly IpvsOperation[]): Promise<readonly (TandemError | undefined)[]> {
    if (this.failure !== undefined) throw this.failure;
    this.intruder?.();
    this.intruder = undefined;
    this.batches.push(operations);
    return operations.map((operation) => {
      const errnoName = this.change(operation);
      if (errnoName === undefined) return undefined;
      return new TandemError('IPVS_REFUSED', `${operation.kind}: ${errnoName}`, { errnoName });
    });
  }

  /** The table without counters, to compare with what is desired. */
  content(): readonly { readonly service: IpvsService; readonly servers: readonly IpvsServer[] }[] {
    return [...this.#entries.values()].map(({ service, servers }) => ({
      service: withoutStatistics(service),
      servers: [...servers.values()].map(withoutCounters),
    }));
  }

  /** Makes one change, as any program may; gives the errno name when it is refused. */
  change(operation: IpvsOperation): string | undefined {
    switch (operation.kind) {
      case 'add-service': {
        const key = formatServiceIdentity(operation.service.identity);
        if (this.#entries.has(key)) return 'EEXIST';
        if (!schedulers.has(operation.service.scheduler)) return 'ENOENT';
        const service = { ...operation.service, statistics: noStatistics };
        this.#entries.set(key, { service, servers: new Map() });
        return undefined;
      }
      case 'edit-service': {
        const entry = this.#entries.get(formatServiceIdentity(operation.service.identity));
        if (entry === undefined) return 'ESRCH';
        if (!schedulers.has(operation.service.scheduler)) return 'ENOENT';
        entry.service = { ...operation.service, statistics: entry.service.statistics };
        return undefined;
      }
      case 'delete-service':
        return this.#entries.delete(formatServiceIdentity(operation.service)) ? undefined : 'ESRCH';
      default:
        return this.#changeServer(operation);
    }
  }

  #changeServer(
    operation: Extract<
      IpvsOperation,
      { readonly kind: 'add-server' | 'edit-server' | 'delete-server' }
    >,
  ): string | undefined {
    const servers = this.#entries.get(formatServiceIdentity(operation.service))?.servers;
    if (servers === undefined) return 'ESRCH';
    const key = formatServerIdentity(operation.server);
    if (operation.kind === 'delete-server') return servers.delete(key) ? undefined : 'ENOENT';
    const exists = servers.has(key);
    if (operation.kind === 'add-server' && exists) return 'EEXIST';
    if (operation.kind === 'edit-server' && !exists) return 'ENOENT';
    if (operation.server.lowerThreshold > operation.server.upperThreshold) return 'ERANGE';
    servers.set(key, {
      ...operation.server,
      activeConnections: 0,
      inactiveConnections: 0,
      persistentConnections: 0,
      statistics: noStatistics,
    });
    return undefined;
  }

  /** The weight of a server, `undefined` when it is not there. */
  weight(service: ServiceIdentity, server: ServerIdentity): number | undefined {
    const entry = this.#entries.get(formatServiceIdentity(service));
    return entry?.servers.get(formatServerIdentity(server))?.weight;
  }
}

function withoutStatistics(service: ListedService): IpvsService {
  const { statistics: _statistics, ...rest } = service;
  return rest;
}

function withoutCounters(server: ListedServer): IpvsServer {
  const {
    activeConnections: _active,
    inactiveConnections: _inactive,
    persistentConnections: _persistent,
    statistics: _statistics,
    ...rest
  } = server;
  return rest;
}
