/** Metrics of the relay of connection sync; absent in the other modes. */
import type { MetricFamily, MetricSample } from './metricModel.js';
import type { RelayStatus } from './statusModel.js';

/** All of them. */
export const syncMetricFamilies: readonly MetricFamily[] = [
  gauge('connected', 'Whether the relay exchanges connections with the peer: 1 or 0.', (relay) =>
    Number(relay.connectedSinceUnixMs !== null),
  ),
  gauge('connected_since_seconds', 'Since when it does, as Unix time.', (relay) => {
    return relay.connectedSinceUnixMs === null ? null : relay.connectedSinceUnixMs / 1000;
  }),
  gauge('holding', 'Whether this node does not take over because it lacks the table.', (relay) =>
    Number(relay.holding),
  ),
  gauge('ports_protected', 'Whether a firewall rule guards the ports of the daemons.', (relay) =>
    Number(relay.portsProtected),
  ),
  gauge('in_sync', 'Whether both directors know the same connections, by comparison.', (relay) =>
    Number(relay.inSync),
  ),
  {
    name: 'sync_table_entries',
    help: 'Connections and templates that the relay knows, here and at the peer.',
    labels: ['side'],
    samples: ({ connectionSync: { relay } }) => [
      [relay?.tableEntries, 'own'],
      [relay?.peerTableEntries, 'peer'],
    ],
  },
  gauge('table_bytes', 'Memory of the table of the relay.', (relay) => relay.tableMemoryBytes),
  gauge('waiting_entries', 'Entries on their way to the peer.', (relay) => relay.waitingEntries),
  gauge(
    'differing_buckets',
    'Parts of the table that differ from the peer, of 1024.',
    (relay) => relay.differingBuckets,
  ),
  gauge(
    'peer_differing_buckets',
    'Parts that differ as the peer sees it.',
    (relay) => relay.peerDifferingBuckets,
  ),
  lastBulk('entries', 'Entries of the last whole table.', ({ entries }) => entries),
  lastBulk('seconds', 'How long the last whole table took.', ({ seconds }) => seconds),
  lastBulk('finished', 'Whether it lacked nothing: 1 or 0.', ({ finished }) => Number(finished)),
  {
    name: 'sync_lag_seconds',
    help: "From the word of our kernel to the answer that the peer's kernel has it.",
    labels: ['quantile'],
    samples: ({ connectionSync: { relay } }) => {
      const lag = relay?.lagMs;
      if (lag === null || lag === undefined) return [];
      return [
        [lag.p50 / 1000, '0.5'],
        [lag.p99 / 1000, '0.99'],
        [lag.max / 1000, '1'],
      ];
    },
  },
  {
    name: 'sync_entries_total',
    help: 'Entries by what was done with them.',
    labels: ['what'],
    samples: ({ connectionSync: { relay } }) =>
      relay === undefined
        ? []
        : (['heard', 'sent', 'received', 'injected', 'expired'] as const).map(
            (what): MetricSample => [relay.counters[what], what],
          ),
  },
  byReason('rejected_entries', 'Entries of the peer that were refused.', ({ counters }) => {
    return counters.rejected;
  }),
  byReason('dropped', 'What was lost, by where.', ({ counters }) => counters.dropped),
  byReason('refused_datagrams', "Datagrams on the kernel's port that were refused.", (relay) => {
    return relay.counters.refusedDatagrams;
  }),
  gauge('unreadable_messages_total', 'Messages of the peer that mean nothing.', ({ counters }) => {
    return counters.malformed;
  }),
  gauge('repairs_total', 'Times that differing parts were asked for again.', ({ counters }) => {
    return counters.repairs;
  }),
];

function gauge(
  name: string,
  help: string,
  read: (relay: RelayStatus) => number | null,
): MetricFamily {
  return {
    name: `sync_${name}`,
    help,
    labels: [],
    samples: ({ connectionSync: { relay } }) => [[relay === undefined ? null : read(relay)]],
  };
}

function lastBulk(
  name: string,
  help: string,
  read: (bulk: NonNullable<RelayStatus['lastBulk']>) => number,
): MetricFamily {
  return {
    name: `sync_last_bulk_${name}`,
    help,
    labels: ['direction'],
    samples: ({ connectionSync: { relay } }) => {
      const bulk = relay?.lastBulk ?? null;
      return bulk === null ? [] : [[read(bulk), bulk.direction]];
    },
  };
}

function byReason(
  name: string,
  help: string,
  read: (relay: RelayStatus) => Readonly<Record<string, number>>,
): MetricFamily {
  return {
    name: `sync_${name}_total`,
    help,
    labels: ['reason'],
    samples: ({ connectionSync: { relay } }) =>
      relay === undefined
        ? []
        : Object.entries(read(relay)).map(([reason, count]): MetricSample => [count, reason]),
  };
}
