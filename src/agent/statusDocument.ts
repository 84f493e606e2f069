/** Puts the status document together from what the parts report. Pure. */
import type { StatusDocument } from '../api/statusModel.js';
import type { TandemConfig } from '../config/model.js';
import type { VirtualRouterReport } from '../vrrp/protocol.js';
import type { BalanceSnapshot } from './balancer.js';

/** How the last reload ended. */
export type LastReload = NonNullable<StatusDocument['configuration']['lastReload']>;

/** What the parts report. */
export interface StatusInput {
  readonly version: string;
  readonly pid: number;
  readonly configPath: string;
  readonly config: TandemConfig;
  readonly startedUnixMs: number;
  readonly loadedUnixMs: number;
  readonly nowUnixMs: number;
  readonly lastReload: LastReload | null;
  readonly routers: readonly VirtualRouterReport[];
  readonly bfd: StatusDocument['bfd'];
  readonly trackers: StatusDocument['trackers'];
  readonly hooks: StatusDocument['hooks'];
  readonly balance: BalanceSnapshot;
  readonly host: StatusDocument['host'];
  readonly peer: StatusDocument['peer'];
  readonly sync: StatusDocument['connectionSync'];
  readonly threads: StatusDocument['threads'];
}

/** The whole document. */
export function buildStatusDocument(input: StatusInput): StatusDocument {
  return {
    version: input.version,
    cluster: input.config.cluster,
    node: input.config.node.name,
    pid: input.pid,
    startedUnixMs: input.startedUnixMs,
    nowUnixMs: input.nowUnixMs,
    configuration: {
      path: input.configPath,
      loadedUnixMs: input.loadedUnixMs,
      lastReload: input.lastReload,
    },
    virtualRouters: input.routers,
    bfd: input.bfd,
    trackers: input.trackers,
    hooks: input.hooks,
    peer: input.peer,
    services: input.balance.services,
    ipvs: input.balance.ipvs,
    host: input.host,
    connectionSync: input.sync,
    threads: input.threads,
  };
}
