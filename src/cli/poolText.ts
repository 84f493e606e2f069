/** What `tandem status` prints of what holds for the servers of a service together. Pure. */
import type { ServiceStatus, StatusDocument } from '../api/statusModel.js';
import { formatEndpoint } from '../wire/ipAddress.js';
import { age } from './age.js';
import { forwardText } from './serviceText.js';
import type { Painter } from './table.js';

/** One line each for the quorum, for panic, and for a sorry server that takes the traffic. */
export function poolLines(service: ServiceStatus, paint: Painter): readonly string[] {
  const { quorum, panic, sorryServer } = service;
  const lines: string[] = [];
  if (quorum !== undefined) {
    const counted = quorum.of === 'weight' ? 'weight' : 'servers';
    const text = `quorum ${quorum.state}: ${counted} ${quorum.count}, at least ${quorum.min}`;
    lines.push(quorum.state === 'lost' ? paint('bad', text) : text);
  }
  if (panic === true) {
    lines.push(paint('bad', 'panic: too few servers are up, so all are treated alike'));
  }
  if (sorryServer !== undefined) {
    const endpoint = formatEndpoint(sorryServer.address, sorryServer.port);
    const wrapped = sorryServer.encapsulation !== undefined;
    const name = wrapped ? `${endpoint} (${forwardText(sorryServer)})` : endpoint;
    lines.push(
      sorryServer.inUse
        ? paint('bad', `sorry server ${name} takes the traffic`)
        : `sorry server ${name} stands by`,
    );
  }
  return lines;
}

/** One line for each server whose weight changes by itself: what for, and when next. */
export function waitLines(
  service: ServiceStatus,
  { nowUnixMs }: StatusDocument,
  paint: Painter,
): readonly string[] {
  return service.servers.flatMap(({ address, port, check }) => {
    const { reason, untilUnixMs } = check?.operation ?? {};
    if (reason !== 'flap-damped' || untilUnixMs === undefined) return [];
    const left = age(Math.max(0, untilUnixMs - nowUnixMs));
    const name = formatEndpoint(address, port);
    return [paint('warn', `${name} passes, but failed too often: let in again in ${left}`)];
  });
}

/** What is to be said first when the checks as a whole are not sound. */
export function networkLines(
  { nowUnixMs, threads: { health } }: StatusDocument,
  paint: Painter,
): readonly string[] {
  if (health.networkLostUnixMs === null) return [];
  const since = age(Math.max(0, nowUnixMs - health.networkLostUnixMs));
  const text =
    `every check fails since ${since}, as with a lost network: the weights are held, ` +
    'and the priority is lower';
  return [paint('bad', text)];
}
