/** How `tandem status` writes what a service is configured to do. Pure. */
import type { ServerStatus, ServiceStatus } from '../api/statusModel.js';
import { bitsOf } from '../wire/ipAddress.js';

/** `mh (mh-port)  persistent 360s by /24  one packet`. */
export function schedulingText(service: ServiceStatus): string {
  const { scheduler, schedulerFlags, persistence, onePacket } = service;
  const words = [
    schedulerFlags === undefined ? scheduler : `${scheduler} (${schedulerFlags.join(', ')})`,
  ];
  if (persistence !== undefined) {
    const { timeoutSeconds, prefixLength, engine } = persistence;
    const isWhole = prefixLength === bitsOf(isIpv6(service) ? 6 : 4);
    const by = [isWhole ? '' : ` by /${prefixLength}`, engine === undefined ? '' : ` by ${engine}`];
    words.push(`persistent ${timeoutSeconds}s${by.join('')}`);
  }
  if (onePacket === true) words.push('one packet');
  return words.join('  ');
}

/** `nat`, `tunnel`, `tunnel gre with checksum`, `tunnel gue 6080 with remote checksum`. */
export function forwardText({
  forwarding,
  encapsulation,
}: Pick<ServerStatus, 'forwarding' | 'encapsulation'>): string {
  if (encapsulation === undefined) return forwarding;
  const port = encapsulation.type === 'gue' ? ` ${encapsulation.port}` : '';
  const checksum = { none: '', full: ' with checksum', remote: ' with remote checksum' };
  return `${forwarding} ${encapsulation.type}${port}${checksum[encapsulation.checksum]}`;
}

/** Active connections, and the limit where the server has one: `12/100`. */
export function activeConnectionsText({ connections, thresholds }: ServerStatus): string {
  const active = String(connections?.active ?? '-');
  return thresholds === undefined ? active : `${active}/${thresholds.upper}`;
}

/** Clients of a service are of one family, which its listeners show. */
function isIpv6({ listeners: [first = ''] }: ServiceStatus): boolean {
  return first.includes('[') || first.startsWith('fwmark6:');
}
