/** Metrics of services, servers and checks. */
import { formatEndpoint } from '../wire/ipAddress.js';
import type { MetricFamily, MetricSample } from './metricModel.js';
import type { ServerStatus } from './statusModel.js';

const healthNumbers: Readonly<Record<string, number>> = { down: 0, up: 1 };

const results = ['passed', 'failed', 'unknown'] as const;

const loadNames = {
  probesPerSecond: ['checks_probes_per_second', 'Probes of a thread, over the last seconds.'],
  skipped: ['checks_skipped_total', 'Times that a check was due while its last probe ran.'],
  deferred: ['checks_deferred_total', 'Probes that waited because too many ran.'],
  stalls: ['checks_stalls_total', 'Times that a thread was held up.'],
} as const;

/** All of them, in the order in which they are told. */
export const healthFamilies: readonly MetricFamily[] = [
  {
    name: 'service_up',
    help: 'Whether a virtual service is up: 1 or 0; absent while that is not known.',
    labels: ['service'],
    samples: ({ services }) =>
      services.map(({ name, state }) => [healthNumbers[state] ?? null, name]),
  },
  serverFamily(
    'up',
    'Whether a real server is up: 1 or 0; absent without a verdict.',
    ({ check }) => (check === undefined ? null : healthNumbers[check.state]),
  ),
  serverFamily('weight_configured', 'Weight of a real server as configured.', (server) => {
    return server.weight.configured;
  }),
  serverFamily('weight_kernel', 'Weight of a real server in the kernel.', (server) => {
    return server.weight.kernel;
  }),
  serverFamily('active_connections', 'Active connections of a real server.', (server) => {
    return server.connections?.active;
  }),
  serverFamily('inactive_connections', 'Inactive connections of a real server.', (server) => {
    return server.connections?.inactive;
  }),
  {
    name: 'service_quorum_met',
    help: 'Whether the quorum of a service is met: 1 or 0; absent without one.',
    labels: ['service'],
    samples: ({ services }) =>
      services.map(({ name, quorum }) => [quorum && Number(quorum.state === 'met'), name]),
  },
  {
    name: 'service_quorum_count',
    help: 'What the servers of a service come to for its quorum: servers or weight.',
    labels: ['service'],
    samples: ({ services }) => services.map(({ name, quorum }) => [quorum?.count, name]),
  },
  {
    name: 'service_panic',
    help: 'Whether so few servers are up that all are treated alike; absent without a threshold.',
    labels: ['service'],
    samples: ({ services }) =>
      services.map(({ name, panic }) => [panic === undefined ? null : Number(panic), name]),
  },
  {
    name: 'service_sorry_server_in_use',
    help: 'Whether the sorry server takes the traffic; absent without one.',
    labels: ['service'],
    samples: ({ services }) =>
      services.map(({ name, sorryServer }) => [sorryServer && Number(sorryServer.inUse), name]),
  },
  serverFamily(
    'weight_desired',
    'Weight that a real server shall have; absent: removed.',
    (server) => {
      return server.weight.desired;
    },
  ),
  serverFamily('admin_enabled', 'Whether a real server is wanted: 0 when drained.', ({ admin }) => {
    return Number(admin === 'enabled');
  }),
  serverFamily('check_duration_seconds', 'How long the last probe took.', ({ check }) => {
    return check?.last && check.last.durationMs / 1000;
  }),
  {
    name: 'server_probes_total',
    help: 'Probes of a real server by their result; unknown says nothing of the server.',
    labels: ['service', 'server', 'result'],
    *samples({ services }) {
      for (const { name: service, servers } of services) {
        for (const { address, port, check } of servers) {
          const server = formatEndpoint(address, port);
          // The check that decides changes; the sum of all of them only grows.
          const reports = check === undefined ? [] : (check.checks ?? [check]);
          for (const result of reports.length === 0 ? [] : results) {
            const count = reports.reduce((sum, { probes }) => sum + probes[result], 0);
            yield [count, service, server, result];
          }
        }
      }
    },
  },
  {
    name: 'checks_network_lost',
    help: 'Whether every check fails at once, as with a lost network: 1 or 0.',
    labels: [],
    samples: ({ threads: { health } }) => [[Number(health.networkLostUnixMs !== null)]],
  },
  {
    name: 'checks_hints_total',
    help: "Times that the kernel's counters had a server checked at once.",
    labels: [],
    samples: ({ threads: { health } }) => [[health.hints]],
  },
  {
    name: 'checks_lateness_seconds',
    help: 'How long after they were due the probes of a thread began.',
    labels: ['thread', 'quantile'],
    samples: ({ threads: { health } }) =>
      health.loads.flatMap(({ lateMs: { p50, p99, max } }, thread): readonly MetricSample[] => [
        [p50 / 1000, `${thread}`, '0.5'],
        [p99 / 1000, `${thread}`, '0.99'],
        [max / 1000, `${thread}`, '1'],
      ]),
  },
  ...(['probesPerSecond', 'skipped', 'deferred', 'stalls'] as const).map(
    (key): MetricFamily => ({
      name: loadNames[key][0],
      help: loadNames[key][1],
      labels: ['thread'],
      samples: ({ threads: { health } }) =>
        health.loads.map((load, thread): MetricSample => [load[key], `${thread}`]),
    }),
  ),
];

/** One value of each real server. */
function serverFamily(
  name: string,
  help: string,
  read: (server: ServerStatus) => number | null | undefined,
): MetricFamily {
  return {
    name: `server_${name}`,
    help,
    labels: ['service', 'server'],
    *samples({ services }) {
      for (const { name: service, servers } of services) {
        for (const server of servers)
          yield [read(server), service, formatEndpoint(server.address, server.port)];
      }
    },
  };
}
