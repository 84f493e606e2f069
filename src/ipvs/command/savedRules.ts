/** The table as command lines that `--restore` reads. Pure. */
import type { IpvsServer, IpvsService, ServiceIdentity } from '../../wire/ipvsModel.js';
import type { ListedTableService } from '../table.js';
import type { ListFormat } from './model.js';
import type { EndpointNames } from './names.js';
import { sortServers, sortServices } from './order.js';
import { schedulerFlagList } from './schedulerFlagNames.js';
import { forwardingOptions, markText, maskText, protocolOfService } from './serviceWords.js';

const serviceOptions = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;
const checksumOptions = { none: '--tun-nocsum', full: '--tun-csum', remote: '--tun-remcsum' };

/** A line for each service and server, as ipvsadm 1.31 saves them: thresholds are left out. */
export function savedRules(
  table: readonly ListedTableService[],
  format: ListFormat,
  names: EndpointNames,
): string {
  const services = format.sorted ? sortServices(table) : table;
  const lines = services.flatMap(({ service, servers }) => {
    const option = serviceOption(service.identity, names);
    return [
      `-A ${option} ${serviceSettings(service)}`,
      ...(format.sorted ? sortServers(servers) : servers).map((server) => {
        const protocol = protocolOfService(service.identity);
        const endpoint = names.endpoint(server.address, server.port, protocol);
        return `-a ${option} -r ${endpoint} ${serverSettings(server)}`;
      }),
    ];
  });
  return lines.map((line) => `${line}\n`).join('');
}

function serviceOption(identity: ServiceIdentity, names: EndpointNames): string {
  if (identity.kind === 'fwmark') {
    return `-f ${markText(identity.fwmark)}${identity.family === 6 ? ' -6' : ''}`;
  }
  const { protocol, address, port } = identity;
  return `${serviceOptions[protocol]} ${names.endpoint(address, port, protocol)}`;
}

function serviceSettings(service: IpvsService): string {
  const words = [`-s ${service.scheduler}`];
  if (service.persistence !== undefined) {
    words.push(`-p ${service.persistence.timeoutSeconds}`);
    const mask = maskText(service);
    if (mask !== undefined) words.push(`-M ${mask}`);
  }
  if (service.persistenceEngine !== undefined) words.push(`--pe ${service.persistenceEngine}`);
  if (service.onePacket) words.push('-o');
  const flags = schedulerFlagList(service.scheduler, service.schedulerFlags);
  if (flags.length > 0) words.push(`-b ${flags.join(',')}`);
  return words.join(' ');
}

function serverSettings(server: IpvsServer): string {
  const words = [forwardingOptions[server.forwarding], `-w ${server.weight}`];
  const { encapsulation } = server;
  if (server.forwarding === 'tunnel') {
    words.push(`--tun-type ${encapsulation?.type ?? 'ipip'}`);
    if (encapsulation?.type === 'gue') words.push(`--tun-port ${encapsulation.port}`);
    if (encapsulation !== undefined) words.push(checksumOptions[encapsulation.checksum]);
  }
  return words.join(' ');
}
