/** Virtual services, servers and changes as an operator writes and reads them. */
import { bitsOf, formatEndpoint, parseIpAddress } from './ipAddress.js';
import type {
  IpvsOperation,
  IpvsProtocol,
  IpvsServer,
  IpvsService,
  ServerIdentity,
  ServiceIdentity,
} from './ipvsModel.js';
import { identityFamily } from './ipvsService.js';

const fwmarkMax = 0xffff_ffff;
const portMax = 0xffff;

/**
 * A service as `tcp://10.0.0.1:80`, `udp://[2001:db8::1]:53`, `fwmark:66`, or `fwmark6:66` for a
 * mark on IPv6 packets. The text is canonical, so it serves as a map key as well.
 */
export function formatServiceIdentity(identity: ServiceIdentity): string {
  if (identity.kind === 'fwmark') {
    return `${identity.family === 4 ? 'fwmark' : 'fwmark6'}:${identity.fwmark}`;
  }
  return `${identity.protocol}://${formatEndpoint(identity.address, identity.port)}`;
}

/** Reads what {@link formatServiceIdentity} writes; `undefined` when the text is no service. */
export function parseServiceIdentity(text: string): ServiceIdentity | undefined {
  const mark = /^fwmark(6?):(\d{1,10})$/.exec(text);
  if (mark !== null) {
    const fwmark = Number(mark[2]);
    if (fwmark < 1 || fwmark > fwmarkMax) return undefined;
    return { kind: 'fwmark', family: mark[1] === '6' ? 6 : 4, fwmark };
  }
  const endpoint = /^(tcp|udp|sctp):\/\/(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (endpoint === null) return undefined;
  const address = parseIpAddress(endpoint[2] ?? endpoint[3] ?? '');
  const port = Number(endpoint[4]);
  if (address === undefined || port > portMax) return undefined;
  // Brackets belong to IPv6 and only to it.
  if ((endpoint[2] !== undefined) !== address.includes(':')) return undefined;
  return { kind: 'address', protocol: endpoint[1] as IpvsProtocol, address, port };
}

/** A server as `10.0.0.2:80`; canonical, so it serves as a map key inside its service. */
export function formatServerIdentity(server: ServerIdentity): string {
  return formatEndpoint(server.address, server.port);
}

/** A change as one line: `add server tcp://10.0.0.1:80 -> 10.0.0.2:80 (nat, weight 1)`. */
export function describeOperation(operation: IpvsOperation): string {
  switch (operation.kind) {
    case 'add-service':
    case 'edit-service': {
      const verb = operation.kind === 'add-service' ? 'add' : 'edit';
      const name = formatServiceIdentity(operation.service.identity);
      return `${verb} service ${name} (${describeSettings(operation.service)})`;
    }
    case 'delete-service':
      return `delete service ${formatServiceIdentity(operation.service)}`;
    case 'add-server':
    case 'edit-server': {
      const verb = operation.kind === 'add-server' ? 'add' : 'edit';
      const path = describePath(operation.service, operation.server);
      return `${verb} server ${path} (${describeServer(operation.server)})`;
    }
    case 'delete-server':
      return `delete server ${describePath(operation.service, operation.server)}`;
  }
}

function describePath(service: ServiceIdentity, server: ServerIdentity): string {
  return `${formatServiceIdentity(service)} -> ${formatServerIdentity(server)}`;
}

function describeSettings(service: IpvsService): string {
  const { persistence, onePacket, schedulerFlags, persistenceEngine } = service;
  const words = [`scheduler ${service.scheduler}`];
  if (schedulerFlags !== 0) words.push(`scheduler flags ${schedulerFlags}`);
  if (persistence !== undefined) {
    const whole = bitsOf(identityFamily(service.identity)) === persistence.prefixLength;
    const mask = persistence.maskWithGaps ?? `/${persistence.prefixLength}`;
    words.push(`persistent ${persistence.timeoutSeconds}s${whole ? '' : ` by ${mask}`}`);
  }
  if (persistenceEngine !== undefined) words.push(`persistence engine ${persistenceEngine}`);
  if (onePacket) words.push('one packet');
  return words.join(', ');
}

function describeServer(server: IpvsServer): string {
  const words = [
    server.encapsulation === undefined
      ? server.forwarding
      : `${server.forwarding} ${server.encapsulation.type}`,
    `weight ${server.weight}`,
  ];
  if (server.upperThreshold !== 0 || server.lowerThreshold !== 0) {
    words.push(`thresholds ${server.lowerThreshold}..${server.upperThreshold}`);
  }
  return words.join(', ');
}
