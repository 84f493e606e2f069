/** What the topologies have in common. */
import { type IpAddress, ipAddress } from '../wire/ipAddress.js';
import type { TopologyServer } from './topology.js';

/** Priority of each director. */
export const directorPriorities: Readonly<Record<string, number>> = { lb1: 150, lb2: 100 };

/** Kernel settings of every director. */
export const directorSysctls: Readonly<Record<string, string>> = {
  // Without it a persistent client goes on to its server although that has weight 0.
  'net.ipv4.vs.expire_quiescent_template': '1',
};

/** Three servers whose weights share requests as 50 %, 33 % and 17 %. */
export function weightedServers(network: string): readonly TopologyServer[] {
  return [3, 2, 1].map((weight, index) => ({
    node: `rs${index + 1}`,
    address: ipAddress(`${network}${10 * (index + 1)}`),
    weight,
  }));
}

/** Addresses that follow one another; the digits are decimal for IPv6 as well. */
export function addressRange(network: string, first: number, count: number): readonly IpAddress[] {
  return Array.from({ length: count }, (_, index) => ipAddress(`${network}${first + index}`));
}
