import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceConfig } from '../../../src/config/model.js';
import type { CheckReport } from '../../../src/health/protocol.js';
import {
  type DesiredTable,
  desiredTable,
  serverId,
  type WeightDecision,
} from '../../../src/ipvs/desired.js';
import type { ServerOverride } from '../../../src/ipvs/overrides.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { mark, report, serverConfig, serviceConfig, web, webTls } from './configs.js';

interface Given {
  readonly service?: Partial<ServiceConfig>;
  readonly reports?: readonly CheckReport[];
  /** Kernel weight of server number n. */
  readonly adopted?: Readonly<Record<number, number>>;
  readonly previous?: ReadonlyMap<string, WeightDecision>;
  readonly overrides?: ReadonlyMap<string, ServerOverride>;
}

function decide(given: Given): DesiredTable {
  return desiredTable({
    services: [serviceConfig(given.service)],
    health: new Map((given.reports ?? []).map((each) => [each.id, each])),
    adoptedWeights: new Map(
      Object.entries(given.adopted ?? {}).map(([number, weight]) => [idOf(Number(number)), weight]),
    ),
    previous: given.previous ?? new Map(),
    overrides: given.overrides ?? new Map(),
  });
}

function idOf(number: number): string {
  return serverId('web', serverConfig(number));
}

/** Weight and reason of servers 2 and 3 in one line each. */
function weights(table: DesiredTable): readonly string[] {
  return [2, 3].map((number) => {
    const decision = table.decisions.get(idOf(number));
    return `${decision?.weight ?? 'none'} ${decision?.reason}`;
  });
}

test('a service without a check has the configured weights, whatever was in the kernel', () => {
  const { check: _check, ...unchecked } = serviceConfig();
  const table = desiredTable({
    services: [unchecked],
    health: new Map(),
    adoptedWeights: new Map([[idOf(2), 9]]),
    previous: new Map(),
    overrides: new Map(),
  });
  assert.deepEqual(weights(table), ['2 configured', '3 configured']);
});

test('a server that is up has its configured weight', () => {
  const table = decide({ reports: [report(2, 'up'), report(3, 'up')], adopted: { 2: 0, 3: 1 } });
  assert.deepEqual(weights(table), ['2 configured', '3 configured']);
});

test('without a verdict the kernel keeps its weight, also weight 0', () => {
  const table = decide({ reports: [report(2, 'unknown')], adopted: { 2: 0, 3: 1 } });
  assert.deepEqual(weights(table), ['0 adopted', '1 adopted']);
});

test('without a verdict a server that is not in the kernel gets its configured weight', () => {
  assert.deepEqual(weights(decide({ adopted: { 3: 1 } })), ['2 configured', '1 adopted']);
});

test('a server that is configured with weight 0 gets no traffic, whatever the kernel had', () => {
  const servers = [serverConfig(2, { weight: 0 }), serverConfig(3)];
  const table = decide({ service: { servers }, adopted: { 2: 5, 3: 3 } });
  assert.deepEqual(weights(table), ['0 configured', '3 adopted']);
});

test('a server that is down gets weight 0, or leaves the table when so configured', () => {
  const reports = [report(2, 'down'), report(3, 'up')];
  const zero = decide({ reports });
  assert.deepEqual(weights(zero), ['0 check-failed', '3 configured']);
  assert.equal(zero.services[0]?.servers.length, 2);
  const removed = decide({ reports, service: { whenDown: 'remove' } });
  assert.deepEqual(weights(removed), ['none check-failed', '3 configured']);
  assert.deepEqual(
    removed.services[0]?.servers.map((server) => server.address),
    ['10.0.0.3'],
  );
});

test('a server that was down stays out while its check has no verdict again', () => {
  const before = decide({ reports: [report(2, 'down'), report(3, 'up')] });
  const after = decide({ reports: [], previous: before.decisions });
  assert.deepEqual(weights(after), ['0 check-failed', '3 configured']);
  // And it comes back as soon as there is one.
  const healed = decide({ reports: [report(2, 'up')], previous: after.decisions });
  assert.deepEqual(weights(healed), ['2 configured', '3 configured']);
});

test('an adopted weight stays until the first verdict, through any number of decisions', () => {
  let table = decide({ adopted: { 2: 7, 3: 7 } });
  table = decide({ adopted: { 2: 7, 3: 7 }, previous: table.decisions });
  assert.deepEqual(weights(table), ['7 adopted', '7 adopted']);
  table = decide({
    adopted: { 2: 7, 3: 7 },
    previous: table.decisions,
    reports: [report(2, 'up'), report(3, 'down')],
  });
  assert.deepEqual(weights(table), ['2 configured', '0 check-failed']);
  table = decide({ adopted: { 2: 7, 3: 7 }, previous: table.decisions });
  assert.deepEqual(weights(table), ['2 configured', '0 check-failed']);
});

test('when all are down every weight is 0 with whenAllDown zero', () => {
  const reports = [report(2, 'down', 5), report(3, 'down', 9)];
  assert.deepEqual(weights(decide({ reports })), ['0 check-failed', '0 check-failed']);
  assert.deepEqual(weights(decide({ reports, service: { whenDown: 'remove' } })), [
    'none check-failed',
    'none check-failed',
  ]);
});

test('with whenAllDown keep-last the server that went down last keeps its weight', () => {
  const service = { whenAllDown: 'keep-last', whenDown: 'remove' } as const;
  let table = decide({ service, reports: [report(2, 'down', 5), report(3, 'up', 1)] });
  assert.deepEqual(weights(table), ['none check-failed', '3 configured']);
  const allDown = [report(2, 'down', 5), report(3, 'down', 9)];
  table = decide({ service, reports: allDown, previous: table.decisions });
  assert.deepEqual(weights(table), ['none check-failed', '3 last-server-kept']);
  // It stays the same one, decision after decision.
  table = decide({ service, reports: allDown, previous: table.decisions });
  assert.deepEqual(weights(table), ['none check-failed', '3 last-server-kept']);
  // Another one that comes up takes over, and the kept one goes.
  const oneUp = [report(2, 'up', 12), report(3, 'down', 9)];
  table = decide({ service, reports: oneUp, previous: table.decisions });
  assert.deepEqual(weights(table), ['2 configured', 'none check-failed']);
});

test('keep-last goes by who was in service, even if the clock was set back meanwhile', () => {
  const service = { whenAllDown: 'keep-last' } as const;
  const before = decide({ service, reports: [report(2, 'down', 100), report(3, 'up', 1)] });
  const table = decide({
    service,
    reports: [report(2, 'down', 100), report(3, 'down', 50)],
    previous: before.decisions,
  });
  assert.deepEqual(weights(table), ['0 check-failed', '3 last-server-kept']);
});

test('keep-last never keeps a server that is configured with weight 0', () => {
  const servers = [serverConfig(2), serverConfig(3, { weight: 0 })];
  const table = decide({
    service: { whenAllDown: 'keep-last', servers },
    reports: [report(2, 'down', 1), report(3, 'down', 9)],
  });
  assert.deepEqual(weights(table), ['2 last-server-kept', '0 check-failed']);
});

test('keep-last is not needed while a server without a verdict takes traffic', () => {
  const table = decide({
    service: { whenAllDown: 'keep-last' },
    reports: [report(2, 'down')],
    adopted: { 2: 2, 3: 3 },
  });
  assert.deepEqual(weights(table), ['0 check-failed', '3 adopted']);
});

test('every listener becomes a kernel service with the same settings and servers', () => {
  const persistence = { timeoutSeconds: 360, prefixLength: 24 };
  const settings = { scheduler: 'sh', persistence, onePacket: false, schedulerFlags: 1 };
  const table = decide({ service: { listeners: [web, webTls, mark], settings } });
  assert.deepEqual(
    table.services.map(({ service }) => service),
    [web, webTls, mark].map((identity) => ({ identity, ...settings })),
  );
  for (const { servers } of table.services) {
    assert.deepEqual(
      servers.map(({ address, port, weight }) => [address, port, weight]),
      [
        ['10.0.0.2', 8080, 2],
        ['10.0.0.3', 8080, 3],
      ],
    );
  }
});

test('routed and tunnelled packets keep the port of the listener, marked ones do not', () => {
  const servers = [
    serverConfig(2, { forwarding: 'dr' }),
    serverConfig(3, { forwarding: 'tunnel' }),
    serverConfig(4),
  ];
  const table = decide({ service: { listeners: [web, webTls, mark], servers } });
  assert.deepEqual(
    table.services.map((each) => each.servers.map((server) => server.port)),
    [
      [80, 80, 8080],
      [443, 443, 8080],
      [8080, 8080, 8080],
    ],
  );
});

test('thresholds and forwarding go to the kernel as configured, for both families', () => {
  const address = ipAddress('2001:db8::2');
  const servers = [
    serverConfig(2, { address, forwarding: 'tunnel', upperThreshold: 9, lowerThreshold: 3 }),
  ];
  const listeners = [{ ...web, address: ipAddress('2001:db8::1') }];
  const table = decide({ service: { listeners, servers } });
  assert.deepEqual(table.services[0]?.servers, [
    {
      address,
      port: 80,
      forwarding: 'tunnel',
      weight: 2,
      upperThreshold: 9,
      lowerThreshold: 3,
    },
  ]);
  assert.equal(serverId('web', { address, port: 80 }), 'web/[2001:db8::2]:80');
});

function operator(number: number, change: Partial<ServerOverride>) {
  const override: ServerOverride = {
    kind: 'drain',
    weight: 0,
    user: 'alice',
    reason: '',
    node: 'lb1',
    sinceUnixMs: 0,
  };
  return new Map([[idOf(number), { ...override, ...change }]]);
}

test('a server that the operator took out has weight 0, whatever its check says', () => {
  const reports = [report(2, 'up'), report(3, 'up')];
  const drained = decide({ reports, overrides: operator(2, {}) });
  assert.deepEqual(weights(drained), ['0 drained', '3 configured']);
  const down = decide({
    service: { whenDown: 'remove' },
    reports: [report(2, 'down'), report(3, 'up')],
    overrides: operator(2, { kind: 'file' }),
  });
  assert.deepEqual(weights(down), ['0 maintenance', '3 configured']);
});

test('the weight of the operator counts while the check passes, also as the last one', () => {
  const overrides = operator(2, { kind: 'weight', weight: 9 });
  const up = decide({ reports: [report(2, 'up'), report(3, 'up')], overrides });
  assert.deepEqual(weights(up), ['9 weight-set', '3 configured']);
  const reports = [report(2, 'down', 5), report(3, 'down', 4)];
  assert.deepEqual(weights(decide({ reports, overrides })), ['0 check-failed', '0 check-failed']);
  const kept = decide({ service: { whenAllDown: 'keep-last' }, reports, overrides });
  assert.deepEqual(weights(kept), ['9 last-server-kept', '0 check-failed']);
});

test('a server that was taken out is never kept as the last one', () => {
  const reports = [report(2, 'down', 5), report(3, 'down', 4)];
  const overrides = operator(2, { kind: 'maintain' });
  const table = decide({ service: { whenAllDown: 'keep-last' }, reports, overrides });
  assert.deepEqual(weights(table), ['0 maintenance', '3 last-server-kept']);
});

test('a server that is put back without a verdict has its configured weight', () => {
  const drained = decide({ adopted: { 2: 0, 3: 3 }, overrides: operator(2, {}) });
  const table = decide({ adopted: { 2: 0, 3: 3 }, previous: drained.decisions });
  assert.deepEqual(weights(table), ['2 configured', '3 adopted']);
});

test('rules of the pool keep the weight of the operator, and a drained server drained', () => {
  const health = {
    startDown: false,
    whenQuorumLost: 'nothing',
    checkOnlyWhenActive: false,
    maxOutPercent: 0,
  } as const;
  const reports = [report(2, 'down', 5), report(3, 'down', 4)];
  const set = operator(2, { kind: 'weight', weight: 9 });
  const kept = decide({ service: { health }, reports, overrides: set });
  assert.deepEqual(weights(kept), ['9 too-many-out', '3 too-many-out']);
  const drained = decide({ service: { health }, reports, overrides: operator(2, {}) });
  assert.deepEqual(weights(drained), ['0 drained', '3 too-many-out']);
});

for (const [upper, lower, asked, expected] of [
  [0, 0, 50, [50, 0]],
  [100, 80, 50, [50, 0]],
  [100, 30, 50, [50, 30]],
  [40, 30, 50, [40, 30]],
  [100, 80, undefined, [100, 80]],
] as const) {
  const title = `a server limited to ${upper} that asks for ${asked ?? 'no'} connections`;
  test(`${title} gets ${expected[0]}, never more`, () => {
    const servers = [serverConfig(2, { upperThreshold: upper, lowerThreshold: lower })];
    const limit = asked === undefined ? {} : { connectionsMax: asked };
    const table = decide({ service: { servers }, reports: [{ ...report(2, 'up'), ...limit }] });
    const server = table.services[0]?.servers[0];
    assert.deepEqual([server?.upperThreshold, server?.lowerThreshold], expected);
  });
}
