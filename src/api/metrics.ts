/**
 * The status document as Prometheus metrics: what `GET /metrics` answers.
 *
 * The document is the one source, so that a dashboard never says anything else than
 * `tandem status`. Every value is absolute, so nothing is kept between two scrapes.
 */
import { Gauge, Registry } from 'prom-client';
import { healthFamilies } from './healthMetrics.js';
import type { MetricFamily, MetricSample } from './metricModel.js';
import type { StatusDocument } from './statusModel.js';
import { syncMetricFamilies } from './syncMetrics.js';

const stateNumbers = { initialize: 0, backup: 1, active: 2 } as const;

/** Every metric, in the order in which they are told. */
export const metricFamilies: readonly MetricFamily[] = [
  {
    name: 'info',
    help: 'Always 1; the labels tell which director this is.',
    labels: ['version', 'cluster', 'node'],
    samples: ({ version, cluster, node }) => [[1, version, cluster, node]],
  },
  {
    name: 'start_time_seconds',
    help: 'When the agent started, in seconds since 1970.',
    labels: [],
    samples: ({ startedUnixMs }) => [[startedUnixMs / 1000]],
  },
  {
    name: 'reload_success',
    help: 'Whether the last reload was applied: 1, or 0 when it was refused.',
    labels: [],
    samples: ({ configuration: { lastReload } }) => [[lastReload && Number(lastReload.ok)]],
  },
  {
    name: 'router_state',
    help: 'State of a virtual router: 0 initialize, 1 backup, 2 active.',
    labels: ['router', 'vrid'],
    samples: ({ virtualRouters }) =>
      virtualRouters.map(({ name, vrid, state }) => [stateNumbers[state], name, `${vrid}`]),
  },
  {
    name: 'router_state_since_seconds',
    help: 'When the virtual router entered its state, in seconds since 1970.',
    labels: ['router'],
    samples: ({ virtualRouters }) =>
      virtualRouters.map(({ name, sinceUnixMs }) => [sinceUnixMs / 1000, name]),
  },
  {
    name: 'router_priority',
    help: 'Priority of a virtual router: as configured, and what is in effect.',
    labels: ['router', 'kind'],
    samples: ({ virtualRouters }) =>
      virtualRouters.flatMap(({ name, priority }) => [
        [priority.configured, name, 'configured'],
        [priority.effective, name, 'effective'],
      ]),
  },
  {
    name: 'router_demotion',
    help: 'What takes priority off a virtual router, by reason.',
    labels: ['router', 'reason', 'tracker'],
    samples: ({ virtualRouters }) =>
      virtualRouters.flatMap(({ name, priority }) =>
        priority.demotions.map(
          ({ reason, weight, tracker }): MetricSample => [weight, name, reason, tracker ?? ''],
        ),
      ),
  },
  {
    name: 'tracker_failing',
    help: 'Whether a tracker fails: 1, or 0 while it passes or is not known.',
    labels: ['tracker', 'type'],
    samples: ({ trackers }) =>
      trackers.map(({ name, type, state }) => [Number(state === 'failing'), name, type]),
  },
  ...healthFamilies,
  {
    name: 'ipvs_operations_total',
    help: 'Operations that were sent to the kernel to put its table right.',
    labels: [],
    samples: ({ ipvs }) => [[ipvs.operationsTotal]],
  },
  {
    name: 'ipvs_errors_total',
    help: 'Operations that the kernel refused.',
    labels: [],
    samples: ({ ipvs }) => [[ipvs.errorsTotal]],
  },
  {
    name: 'peer_connected',
    help: 'Whether the channel to the other director is up; absent without one.',
    labels: ['peer'],
    samples: ({ peer }) => (peer.configured ? [[Number(peer.connected), peer.name]] : []),
  },
  {
    name: 'peer_configuration_differences',
    help: 'Differences between the configurations of the two directors.',
    labels: [],
    samples: ({ peer }) => (peer.configured ? [[peer.drift.length]] : []),
  },
  {
    name: 'split_brain_routers',
    help: 'Virtual routers that both directors are Active for.',
    labels: [],
    samples: ({ peer }) => (peer.configured ? [[peer.splitBrain.length]] : []),
  },
  ...syncMetricFamilies,
  {
    name: 'election_loop_lateness_seconds',
    help: 'How late the loop of the election woke up.',
    labels: ['quantile'],
    samples: ({ threads: { vrrp } }) =>
      vrrp.loop === null
        ? []
        : [
            [vrrp.loop.p50Us / 1e6, '0.5'],
            [vrrp.loop.p99Us / 1e6, '0.99'],
            [vrrp.loop.maxUs / 1e6, '1'],
          ],
  },
  {
    name: 'thread_restarts_total',
    help: 'How often a thread of the agent ended unexpectedly and was started again.',
    labels: ['thread'],
    samples: ({ threads: { vrrp, health, peer, guard, sync } }) => [
      [vrrp.restarts, 'vrrp'],
      [health.restarts, 'health'],
      [peer?.restarts, 'peer'],
      [guard?.restarts, 'guard'],
      [sync?.restarts, 'sync'],
    ],
  },
];

/** The media type of {@link metricsText}. */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

/** The metrics of a status document in the text format of Prometheus. */
export async function metricsText(
  status: StatusDocument,
  families: readonly MetricFamily[] = metricFamilies,
): Promise<string> {
  const registry = new Registry();
  for (const { name, help, labels, samples } of families) {
    const gauge = new Gauge({
      name: `tandem_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
    });
    // A gauge without labels begins with 0, which would be a value that nobody has told.
    if (labels.length === 0) gauge.remove();
    for (const [value, ...labelValues] of samples(status)) {
      if (value === null || value === undefined) continue;
      gauge.labels(...labelValues).set(value);
    }
  }
  return registry.metrics();
}
