/**
 * Requests and answers of the IPVS family: which command and which attributes each of them is.
 *
 * A payload is everything after the generic netlink header. Every `decode` function throws
 * {@link WireError} and nothing else, whatever the bytes.
 */
import type { IpFamily } from './ipAddress.js';
import { commandAttributes, infoAttributes, ipvsCommands } from './ipvsAttributes.js';
import { daemonRoleValues, daemonValues, decodeDaemon } from './ipvsDaemon.js';
import type {
  IpvsInfo,
  IpvsOperation,
  IpvsTimeouts,
  ListedServer,
  ListedService,
  ServiceIdentity,
  SyncDaemon,
  SyncDaemonRole,
} from './ipvsModel.js';
import { decodeServer, serverIdentityValues, serverValues } from './ipvsServer.js';
import { decodeService, identityValues, required, serviceValues } from './ipvsService.js';
import { type AttributeValues, decodeAttributes, encodeAttributes } from './netlinkAttributes.js';

/** One request of the family. */
export interface IpvsRequest {
  /** A number of {@link ipvsCommands}. */
  readonly command: number;
  readonly payload: Uint8Array;
  /** Writes what is different from the payload over a copy of it, at an offset. */
  overwrite?(target: Uint8Array, at: number): void;
  /** Ask for every entry instead of for one. */
  readonly dump: boolean;
}

/** The request that carries out one change. Throws {@link WireError} when a value does not fit. */
export function encodeOperation(operation: IpvsOperation): IpvsRequest {
  switch (operation.kind) {
    case 'add-service':
      return request('newService', { service: serviceValues(operation.service) });
    case 'edit-service':
      return request('setService', { service: serviceValues(operation.service) });
    case 'delete-service':
      return request('deleteService', { service: identityValues(operation.service) });
    case 'add-server':
      return request('newServer', {
        service: identityValues(operation.service),
        server: serverValues(operation.server),
      });
    case 'edit-server':
      return request('setServer', {
        service: identityValues(operation.service),
        server: serverValues(operation.server),
      });
    case 'delete-server':
      return request('deleteServer', {
        service: identityValues(operation.service),
        server: serverIdentityValues(operation.server),
      });
  }
}

/** Asks for all services. */
export function encodeServicesQuery(): IpvsRequest {
  return request('getService', {}, true);
}

/** Asks for the servers of one service; a service that is not there has none. */
export function encodeServersQuery(service: ServiceIdentity): IpvsRequest {
  return request('getServer', { service: identityValues(service) }, true);
}

/** Asks for the running daemons. */
export function encodeDaemonsQuery(): IpvsRequest {
  return request('getDaemon', {}, true);
}

/** Asks for version and table size. */
export function encodeInfoQuery(): IpvsRequest {
  return request('getInfo', {});
}

/** Asks for the connection timeouts. */
export function encodeTimeoutsQuery(): IpvsRequest {
  return request('getConfig', {});
}

/** Sets connection timeouts; those that are absent stay. */
export function encodeTimeouts(timeouts: Partial<IpvsTimeouts>): IpvsRequest {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  return request('setConfig', {
    ...(tcpSeconds === undefined ? {} : { tcpTimeout: tcpSeconds }),
    ...(tcpFinSeconds === undefined ? {} : { tcpFinTimeout: tcpFinSeconds }),
    ...(udpSeconds === undefined ? {} : { udpTimeout: udpSeconds }),
  });
}

/** Starts a synchronisation daemon. */
export function encodeDaemonStart(daemon: SyncDaemon): IpvsRequest {
  return request('newDaemon', { daemon: daemonValues(daemon) });
}

/** Stops the synchronisation daemon of a role. */
export function encodeDaemonStop(role: SyncDaemonRole): IpvsRequest {
  return request('deleteDaemon', { daemon: daemonRoleValues(role) });
}

/** Sets the counters of one service and its servers, or of everything, to zero. */
export function encodeZero(service?: ServiceIdentity): IpvsRequest {
  return request('zero', service === undefined ? {} : { service: identityValues(service) });
}

/** Deletes every service of the namespace, and their servers with them. */
export function encodeFlush(): IpvsRequest {
  return request('flush', {});
}

/** Reads one message of a dump of services. */
export function decodeServiceMessage(payload: Uint8Array): ListedService {
  return decodeService(required(decodeCommand(payload).service, 'service'));
}

/** Reads one message of a dump of the servers of a service of a family. */
export function decodeServerMessage(payload: Uint8Array, serviceFamily: IpFamily): ListedServer {
  return decodeServer(required(decodeCommand(payload).server, 'server'), serviceFamily);
}

/** Reads one message of a dump of daemons. */
export function decodeDaemonMessage(payload: Uint8Array): SyncDaemon {
  return decodeDaemon(required(decodeCommand(payload).daemon, 'daemon'));
}

/** Reads the answer about the connection timeouts. */
export function decodeTimeoutsMessage(payload: Uint8Array): IpvsTimeouts {
  const values = decodeCommand(payload);
  return {
    tcpSeconds: required(values.tcpTimeout, 'tcpTimeout'),
    tcpFinSeconds: required(values.tcpFinTimeout, 'tcpFinTimeout'),
    udpSeconds: required(values.udpTimeout, 'udpTimeout'),
  };
}

/** Reads the answer about version and table size. */
export function decodeInfoMessage(payload: Uint8Array): IpvsInfo {
  const values = decodeAttributes(infoAttributes, payload);
  const version = required(values.version, 'version');
  return {
    version: [(version >>> 16) & 0xff, (version >>> 8) & 0xff, version & 0xff].join('.'),
    tableSize: required(values.connectionTableSize, 'connectionTableSize'),
  };
}

function request(
  command: keyof typeof ipvsCommands,
  values: AttributeValues<typeof commandAttributes>,
  dump = false,
): IpvsRequest {
  const payload = encodeAttributes(commandAttributes, values);
  return { command: ipvsCommands[command], payload, dump };
}

function decodeCommand(payload: Uint8Array): AttributeValues<typeof commandAttributes> {
  return decodeAttributes(commandAttributes, payload);
}
