/** Counters and rates of services and servers. */
import type { IpvsStatistics } from './ipvsModel.js';

/** Statistics that say nothing happened yet. */
export const noStatistics: IpvsStatistics = {
  connections: 0n,
  incomingPackets: 0n,
  outgoingPackets: 0n,
  incomingBytes: 0n,
  outgoingBytes: 0n,
  connectionsPerSecond: 0n,
  incomingPacketsPerSecond: 0n,
  outgoingPacketsPerSecond: 0n,
  incomingBytesPerSecond: 0n,
  outgoingBytesPerSecond: 0n,
};

type StatisticsName = keyof IpvsStatistics;

/** Attributes of STATS or STATS64: the same names, one with 32 and one with 64 bits. */
type StatisticsValues = { readonly [Name in StatisticsName]?: number | bigint };

/** What was made of counters; the codec gives the same ones for servers that have the same. */
const known = new WeakMap<StatisticsValues, IpvsStatistics>();

/** Widens counters of either form; what the kernel did not send is 0. */
export function decodeStatistics(values: StatisticsValues | undefined): IpvsStatistics {
  if (values === undefined) return noStatistics;
  const before = known.get(values);
  if (before !== undefined) return before;
  const statistics = widened(values);
  known.set(values, statistics);
  return statistics;
}

function widened(values: StatisticsValues): IpvsStatistics {
  const read = (name: StatisticsName): bigint => BigInt(values[name] ?? 0);
  return {
    connections: read('connections'),
    incomingPackets: read('incomingPackets'),
    outgoingPackets: read('outgoingPackets'),
    incomingBytes: read('incomingBytes'),
    outgoingBytes: read('outgoingBytes'),
    connectionsPerSecond: read('connectionsPerSecond'),
    incomingPacketsPerSecond: read('incomingPacketsPerSecond'),
    outgoingPacketsPerSecond: read('outgoingPacketsPerSecond'),
    incomingBytesPerSecond: read('incomingBytesPerSecond'),
    outgoingBytesPerSecond: read('outgoingBytesPerSecond'),
  };
}
