import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { metricFamilies, metricsText } from '../../../src/api/metrics.js';
import { startApiServer, startReadingServer } from '../../../src/api/server.js';
import type { StatusDocument } from '../../../src/api/statusModel.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const loopback = ipAddress('127.0.0.1');

const load = {
  checks: 2,
  probesPerSecond: 2,
  lateMs: { p50: 0.5, p99: 2, max: 3 },
  skipped: 0,
  deferred: 0,
  stalls: 1,
};

// The part of a document that metrics are made from.
const status = {
  version: '1.2.3',
  cluster: 'web "east"',
  node: 'lb1',
  startedUnixMs: 1_500,
  configuration: { lastReload: null },
  virtualRouters: [
    {
      name: 'outside',
      vrid: 51,
      state: 'active',
      sinceUnixMs: 2_000,
      priority: {
        configured: 150,
        effective: 90,
        demotions: [{ reason: 'tracked-interface-down', weight: 60, tracker: 'uplink' }],
      },
    },
  ],
  trackers: [{ name: 'uplink', type: 'interface', state: 'failing' }],
  services: [
    {
      name: 'web',
      state: 'unknown',
      quorum: { state: 'lost', count: 1, min: 2, of: 'servers' },
      panic: false,
      sorryServer: { inUse: true },
      servers: [
        {
          address: '2001:db8::10',
          port: 80,
          weight: { configured: 3, desired: 0, kernel: 0 },
          admin: 'enabled',
          check: {
            state: 'down',
            last: { durationMs: 1.5 },
            probes: { passed: 4, failed: 3, unknown: 0 },
          },
          connections: { active: 2, inactive: 1 },
        },
        { address: '192.0.2.1', port: 80, weight: { configured: 1, kernel: null } },
      ],
    },
  ],
  ipvs: { operationsTotal: 7, errorsTotal: 0 },
  peer: { configured: false },
  connectionSync: {
    mode: 'relay',
    relay: {
      connectedSinceUnixMs: 1_000,
      inSync: true,
      tableEntries: 12,
      peerTableEntries: null,
      tableMemoryBytes: 2_048,
      waitingEntries: 3,
      differingBuckets: null,
      peerDifferingBuckets: 4,
      holding: true,
      portsProtected: false,
      lastBulk: { direction: 'received', entries: 12, seconds: 0.25, finished: true },
      lagMs: { p50: 20, p99: 30, max: 40 },
      counters: {
        heard: 5,
        sent: 4,
        received: 3,
        injected: 2,
        expired: 1,
        repairs: 6,
        malformed: 10,
        rejected: { 'unknown-service': 9 },
        dropped: { beforeKernel: 8 },
        refusedDatagrams: { 'not-from-kernel': 7 },
      },
    },
  },
  threads: {
    vrrp: { restarts: 1, loop: null },
    health: { restarts: 0, loads: [load], hints: 2, networkLostUnixMs: null },
  },
} as unknown as StatusDocument;

test('the status document is told as metrics, with labels escaped', async () => {
  const lines = (await metricsText(status)).split('\n');
  for (const line of [
    'tandem_info{version="1.2.3",cluster="web \\"east\\"",node="lb1"} 1',
    'tandem_start_time_seconds 1.5',
    'tandem_sync_connected_since_seconds 1',
    'tandem_sync_holding 1',
    'tandem_sync_ports_protected 0',
    'tandem_sync_peer_differing_buckets 4',
    'tandem_sync_last_bulk_entries{direction="received"} 12',
    'tandem_sync_last_bulk_seconds{direction="received"} 0.25',
    'tandem_sync_last_bulk_finished{direction="received"} 1',
    'tandem_sync_unreadable_messages_total 10',
    'tandem_sync_in_sync 1',
    'tandem_sync_table_entries{side="own"} 12',
    'tandem_sync_lag_seconds{quantile="0.99"} 0.03',
    'tandem_sync_entries_total{what="injected"} 2',
    'tandem_sync_rejected_entries_total{reason="unknown-service"} 9',
    'tandem_sync_dropped_total{reason="beforeKernel"} 8',
    'tandem_sync_refused_datagrams_total{reason="not-from-kernel"} 7',
    'tandem_sync_repairs_total 6',
    'tandem_router_state{router="outside",vrid="51"} 2',
    'tandem_router_priority{router="outside",kind="effective"} 90',
    'tandem_router_demotion{router="outside",reason="tracked-interface-down",tracker="uplink"} 60',
    'tandem_tracker_failing{tracker="uplink",type="interface"} 1',
    'tandem_server_up{service="web",server="[2001:db8::10]:80"} 0',
    'tandem_server_weight_kernel{service="web",server="[2001:db8::10]:80"} 0',
    'tandem_server_weight_desired{service="web",server="[2001:db8::10]:80"} 0',
    'tandem_server_admin_enabled{service="web",server="192.0.2.1:80"} 0',
    'tandem_server_check_duration_seconds{service="web",server="[2001:db8::10]:80"} 0.0015',
    'tandem_server_probes_total{service="web",server="[2001:db8::10]:80",result="failed"} 3',
    'tandem_service_quorum_met{service="web"} 0',
    'tandem_service_quorum_count{service="web"} 1',
    'tandem_service_panic{service="web"} 0',
    'tandem_service_sorry_server_in_use{service="web"} 1',
    'tandem_checks_network_lost 0',
    'tandem_checks_hints_total 2',
    'tandem_checks_lateness_seconds{thread="0",quantile="0.99"} 0.002',
    'tandem_checks_stalls_total{thread="0"} 1',
    'tandem_thread_restarts_total{thread="vrrp"} 1',
  ]) {
    assert.ok(lines.includes(line), `${line} is missing in\n${lines.join('\n')}`);
  }
});

test('what is not known has no value', async () => {
  const lines = (await metricsText(status)).split('\n');
  for (const name of ['reload_success', 'service_up', 'peer_connected', 'split_brain_routers']) {
    assert.ok(!lines.some((line) => line.startsWith(`tandem_${name}`)), name);
  }
  assert.ok(!lines.some((line) => line.includes('weight_kernel') && line.includes('192.0.2.1')));
});

test('the names of metrics are unique and follow the rules of Prometheus', () => {
  const names = metricFamilies.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names);
  for (const name of names) assert.match(name, /^[a-z][a-z_]+[a-z]$/);
});

test('over TCP status and metrics can be read, and nothing can be done', async (context) => {
  const port = await freePort();
  const server = await startReadingServer(
    { address: loopback, port },
    { status: async () => status },
  );
  context.after(() => server.close());
  const base = `http://127.0.0.1:${port}`;
  const metrics = await fetch(`${base}/metrics`);
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.equal(await metrics.text(), await metricsText(status));
  assert.deepEqual(await (await fetch(`${base}/v1/status`)).json(), status);
  for (const path of ['/v1/reload', '/v1/failover']) {
    assert.equal((await fetch(base + path, { method: 'POST' })).status, 404);
  }
});

test('a port that another program has is refused with its name', async (context) => {
  const other = createServer().listen(0, '127.0.0.1');
  context.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const bound = other.address();
  assert.ok(bound !== null && typeof bound === 'object');
  await assert.rejects(
    startReadingServer({ address: loopback, port: bound.port }, { status: async () => status }),
    { code: 'API_SOCKET_UNUSABLE', message: /api\.listen 127\.0\.0\.1:\d+: .*EADDRINUSE/ },
  );
});

test('the socket tells the metrics too', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-metrics-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const unused = () => Promise.reject(new Error('not called'));
  const actions = {
    status: async () => status,
    reload: unused,
    failover: unused,
    override: unused,
    servers: unused,
    plan: unused,
    resync: (): never => {
      throw new Error('not called');
    },
  };
  const path = join(folder, 'api.sock');
  const server = await startApiServer(path, actions);
  context.after(() => server.close());
  const { request } = await import('node:http');
  const text = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath: path, path: '/metrics' }, (answer) => {
      let body = '';
      answer.on('data', (chunk) => (body += chunk)).on('end', () => resolve(body));
    });
    asked.on('error', reject).end();
  });
  assert.equal(text, await metricsText(status));
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const bound = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}
