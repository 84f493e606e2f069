/** What `tandem status` prints of what operators have set. Pure. */
import type { ServiceStatus, StatusDocument } from '../api/statusModel.js';
import { formatEndpoint } from '../wire/ipAddress.js';
import { age } from './age.js';
import type { Painter } from './table.js';

const kindTexts = {
  drain: 'drained',
  maintain: 'in maintenance',
  file: 'in maintenance by a file',
  weight: 'weight set',
} as const;

/** One line for each server that is not as configured: what, since when, by whom, why. */
export function overrideLines(
  service: ServiceStatus,
  { nowUnixMs }: StatusDocument,
  paint: Painter,
): readonly string[] {
  return service.servers.flatMap(({ address, port, override }) => {
    if (override === undefined) return [];
    const { kind, user, node, reason, sinceUnixMs, weight } = override;
    const what = kind === 'weight' ? `${kindTexts.weight} to ${weight}` : kindTexts[kind];
    const since = age(Math.max(0, nowUnixMs - sinceUnixMs));
    const why = reason === '' ? '' : `: ${reason}`;
    const name = formatEndpoint(address, port);
    return [paint('warn', `${name} ${what} ${since} ago by ${user} on ${node}${why}`)];
  });
}
