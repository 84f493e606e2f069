/** Metrics of the relay of connection sync; absent in the other modes. */
import type { MetricFamily, MetricSample } from './metricModel.js';
import type { RelayStatus } from './statusModel.js';

/** All of them. */
export const syncMetricFamilies: readonly MetricFamily[] = [
  gauge('connected', 'Whether the relay exchanges connections with the peer: 1 or 0.', (relay) =>
    Number(relay.connectedSinceUnixMs !== null),
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
