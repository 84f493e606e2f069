/** The listings of the table, with ipvsadm's columns. Pure. */
import { familyOf } from '../../wire/ipAddress.js';
import type {
  IpvsInfo,
  IpvsServer,
  IpvsStatistics,
  ListedServer,
  ListedService,
  ServiceIdentity,
} from '../../wire/ipvsModel.js';
import { identityFamily } from '../../wire/ipvsService.js';
import type { ListedTableService } from '../table.js';
import type { ListColumns, ListFormat } from './model.js';
import type { EndpointNames } from './names.js';
import { sortServers, sortServices } from './order.js';
import { schedulerFlagList } from './schedulerFlagNames.js';
import { forwardingWords, markText, maskText, protocolOfService } from './serviceWords.js';

const labelWidth = 33;
const serverWidth = 28;

const serverTitle = '  -> RemoteAddress:Port';
const persistenceTitle =
  'Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn ';
const titles: Readonly<Record<ListColumns, string>> = {
  default: `Prot LocalAddress:Port Scheduler Flags
${serverTitle}           Forward Weight ActiveConn InActConn`,
  statistics: `Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
${serverTitle}`,
  rates: `Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS
${serverTitle}`,
  thresholds: `Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn 
${serverTitle}`,
  'persistent-connections': `${persistenceTitle}\n${serverTitle}`,
  tunnels: `Prot LocalAddress:Port Scheduler Flags
${serverTitle}           Forward TunnelInfo    Weight ActiveConn InActConn`,
};

/** The first line of a listing of the whole table. */
export function versionLine(info: IpvsInfo): string {
  return `IP Virtual Server version ${info.version} (size=${info.tableSize})\n`;
}

/** The titles of the columns and a line for each service and server. */
export function tableText(
  table: readonly ListedTableService[],
  format: ListFormat,
  names: EndpointNames,
): string {
  const services = format.sorted ? sortServices(table) : table;
  const lines = services.flatMap(({ service, servers }) => [
    serviceLine(service, format, names),
    ...(format.sorted ? sortServers(servers) : servers).map((server) =>
      serverLine(service.identity, server, format, names),
    ),
  ]);
  return `${[titles[format.columns], ...lines].join('\n')}\n`;
}

function serviceLine(service: ListedService, format: ListFormat, names: EndpointNames): string {
  const label = serviceLabel(service.identity, names);
  const { statistics } = service;
  if (format.columns === 'statistics') return row(label, totals(statistics), format);
  if (format.columns === 'rates') return row(label, rates(statistics), format);
  return `${label} ${settings(service)}`;
}

function row(label: string, values: readonly bigint[], format: ListFormat): string {
  const numbers = values.map((value) => largeNumber(value, format.exact)).join('');
  return `${label.padEnd(labelWidth)}${numbers}`;
}

function serviceLabel(identity: ServiceIdentity, names: EndpointNames): string {
  if (identity.kind === 'fwmark') {
    return `FWM  ${markText(identity.fwmark)}${identity.family === 6 ? ' IPv6' : ''}`;
  }
  const { protocol, address, port } = identity;
  const endpoint = names.endpoint(address, port, protocol);
  const label = `${protocol.toUpperCase().padEnd(4)} ${endpoint}`;
  return identityFamily(identity) === 4 ? label.slice(0, labelWidth) : label;
}

function settings(service: ListedService): string {
  const flags = schedulerFlagList(service.scheduler, service.schedulerFlags);
  const words = [service.scheduler];
  if (flags.length > 0) words.push(`(${flags.join(',')})`);
  if (service.persistence !== undefined) {
    words.push(`persistent ${service.persistence.timeoutSeconds}`);
    const mask = maskText(service);
    if (mask !== undefined) words.push(`mask ${mask}`);
    if (service.persistenceEngine !== undefined) words.push(`pe ${service.persistenceEngine}`);
  }
  if (service.onePacket) words.push('ops');
  return words.join(' ');
}

function serverLine(
  service: ServiceIdentity,
  server: ListedServer,
  format: ListFormat,
  names: EndpointNames,
): string {
  const { address, port } = server;
  const endpoint = names.endpoint(address, port, protocolOfService(service));
  const name = familyOf(address) === 4 ? endpoint.slice(0, serverWidth) : endpoint;
  return `  -> ${name.padEnd(serverWidth)}${serverColumns(server, format)}`;
}

function serverColumns(server: ListedServer, format: ListFormat): string {
  const { statistics } = server;
  const active = left(server.activeConnections, 10);
  const inactive = left(server.inactiveConnections, 10);
  switch (format.columns) {
    case 'statistics':
      return totals(statistics)
        .map((value) => largeNumber(value, format.exact))
        .join('');
    case 'rates': {
      const [connections, packetsIn, packetsOut, ...bytes] = rates(statistics);
      // Of a server these three are never shortened.
      return [connections, packetsIn, packetsOut]
        .map((value) => ` ${String(value).padStart(8)}`)
        .concat(bytes.map((value) => largeNumber(value, format.exact)))
        .join('');
    }
    case 'thresholds': {
      const upper = left(server.upperThreshold, 10);
      return `${upper}${left(server.lowerThreshold, 10)}${active}${inactive}`;
    }
    case 'persistent-connections': {
      const persistent = left(server.persistentConnections, 11);
      return `${left(server.weight, 9)}${persistent}${active}${inactive}`;
    }
    case 'tunnels': {
      const tunnel = left(tunnelWord(server), 13);
      return `${forwarding(server)}${tunnel}${left(server.weight, 6)}${active}${inactive}`;
    }
    case 'default':
      return `${forwarding(server)}${left(server.weight, 6)}${active}${inactive}`;
  }
}

function forwarding(server: IpvsServer): string {
  return left(forwardingWords[server.forwarding], 7);
}

function tunnelWord({ forwarding: method, encapsulation }: IpvsServer): string {
  if (method !== 'tunnel') return 'n/a';
  if (encapsulation === undefined) return 'ipip';
  const checksum = { none: '-c', full: '+c', remote: 'r+c' }[encapsulation.checksum];
  return encapsulation.type === 'gue' ? `gue:${encapsulation.port}:${checksum}` : `gre:${checksum}`;
}

function left(value: number | string, width: number): string {
  return ` ${String(value).padEnd(width)}`;
}

function totals(statistics: IpvsStatistics): readonly bigint[] {
  return [
    statistics.connections,
    statistics.incomingPackets,
    statistics.outgoingPackets,
    statistics.incomingBytes,
    statistics.outgoingBytes,
  ];
}

function rates(statistics: IpvsStatistics): readonly bigint[] {
  return [
    statistics.connectionsPerSecond,
    statistics.incomingPacketsPerSecond,
    statistics.outgoingPacketsPerSecond,
    statistics.incomingBytesPerSecond,
    statistics.outgoingBytesPerSecond,
  ];
}

/** Numbers below `below` are divided by `unit` and marked with `suffix`. */
const abbreviations = [
  { below: 100_000_000n, unit: 1n, suffix: '' },
  { below: 1_000_000_000n, unit: 1_000n, suffix: 'K' },
  { below: 100_000_000_000n, unit: 1_000_000n, suffix: 'M' },
  { below: 100_000_000_000_000n, unit: 1_000_000_000n, suffix: 'G' },
] as const;

/** A counter in nine columns; with `exact` in as many as it needs, one blank before it. */
export function largeNumber(value: bigint, exact: boolean): string {
  if (exact) {
    const digits = String(value);
    return digits.length <= 8 ? digits.padStart(9) : ` ${digits}`;
  }
  const { unit, suffix } = abbreviations.find(({ below }) => value < below) ?? {
    unit: 1_000_000_000_000n,
    suffix: 'T',
  };
  return `${value / unit}${suffix}`.padStart(9);
}
