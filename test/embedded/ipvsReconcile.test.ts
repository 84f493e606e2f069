import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ServerConfig, ServiceConfig } from '../../src/config/model.js';
import type { CheckReport } from '../../src/health/protocol.js';
import type { HealthState } from '../../src/health/reasons.js';
import { serverId } from '../../src/ipvs/desired.js';
import { Reconciler } from '../../src/ipvs/reconciler.js';
import { machineClock, type ReconcileRun } from '../../src/ipvs/reconcilerModel.js';
import { type IpvsTable, openIpvsTable } from '../../src/kernel/ipvsTable.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import type { IpvsStatistics, ServiceIdentity } from '../../src/wire/ipvsModel.js';
import {
  addLocalAddress,
  ask,
  echoServer,
  eventually,
  ipvsadm,
  ipvsTest,
  openConnection,
  savedTable,
} from './ipvsSupport.js';

const web = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.99.0.100'),
  port: 80,
} as const satisfies ServiceIdentity;

/** Servers 10.99.0.1 and 10.99.0.2, which a test may really run. */
const servers: readonly ServerConfig[] = [1, 2].map((number) => ({
  address: ipAddress(`10.99.0.${number}`),
  port: 8080,
  weight: number,
  forwarding: 'nat',
  upperThreshold: 0,
  lowerThreshold: 0,
}));

function service(change: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: 'web',
    listeners: [web],
    settings: { scheduler: 'wrr', onePacket: false, schedulerFlags: 0 },
    check: {
      probe: { type: 'tcp' },
      timing: { intervalMs: 1_000, timeoutMs: 500, rise: 1, fall: 1 },
    },
    whenDown: 'weight-zero',
    whenAllDown: 'zero',
    servers,
    ...change,
  };
}

function reports(...states: readonly HealthState[]): readonly CheckReport[] {
  return states.map((state, index) => {
    const config = servers[index];
    assert.ok(config !== undefined);
    return {
      id: serverId('web', config),
      state,
      sinceUnixMs: 0,
      streak: 0,
      last: null,
      probes: { passed: 0, failed: 0, unknown: 0 },
    };
  });
}

/** An agent's reconciler; the audit is so far away that only the test asks for one. */
function reconciler(
  context: TestContext,
  table: IpvsTable,
): { readonly agent: Reconciler; readonly runs: ReconcileRun[] } {
  const runs: ReconcileRun[] = [];
  const agent = new Reconciler({
    table,
    clock: machineClock,
    auditIntervalMs: 3_600_000,
    onRun: (run) => runs.push(run),
  });
  context.after(() => agent.stop());
  return { agent, runs };
}

const upTable = [
  '-A -t 10.99.0.100:80 -s wrr',
  '-a -t 10.99.0.100:80 -r 10.99.0.1:8080 -m -w 1',
  '-a -t 10.99.0.100:80 -r 10.99.0.2:8080 -m -w 2',
];

ipvsTest(
  'a start programs the kernel, and a second comparison finds nothing',
  async (table, context) => {
    const { agent, runs } = reconciler(context, table);
    await agent.configure([service()], reports('up', 'up'));
    assert.deepEqual(await savedTable(), upTable);
    await agent.audit();
    assert.deepEqual(
      runs.map(({ trigger, operations, errors }) => [trigger, operations.length, errors.length]),
      [
        ['start', 3, 0],
        ['audit', 0, 0],
      ],
    );
  },
);

ipvsTest(
  'a restart changes nothing: connections, counters and weights stay',
  async (table, context) => {
    await runServers(context);
    const before = reconciler(context, table).agent;
    await before.configure([service()], reports('up', 'down'));
    const socket = await openConnection(context, web);
    assert.equal(await ask(socket, 'one'), '10.99.0.1 one');
    await eventually(async () => (await counters(table)).connections === 1n, 'it is counted');
    await before.stop();

    const secondTable = await openIpvsTable();
    context.after(() => secondTable.close());
    const { agent, runs } = reconciler(context, secondTable);
    await agent.configure([service()]);
    assert.deepEqual(runs[0]?.operations, []);
    const status = agent.serviceStatuses()[0]?.servers;
    assert.deepEqual(
      status?.map(({ weight }) => [weight.kernel, weight.reason]),
      [
        [1, 'adopted'],
        [0, 'adopted'],
      ],
    );
    assert.equal(status[0]?.connections?.active, 1);
    assert.equal((await counters(secondTable)).connections, 1n);
    assert.equal(await ask(socket, 'two'), '10.99.0.1 two');
    agentVerdict(agent, 'up', 'down');
    await agent.settled();
    assert.deepEqual(runs[1]?.operations, []);
  },
);

ipvsTest(
  'a server that fails gets no new connections and keeps those it has',
  async (table, context) => {
    await runServers(context);
    const { agent } = reconciler(context, table);
    await agent.configure([service()], reports('up', 'down'));
    const old = await openConnection(context, web);
    assert.equal(await ask(old, 'one'), '10.99.0.1 one');
    agentVerdict(agent, 'down', 'up');
    await agent.settled();
    for (const word of ['two', 'three', 'four']) {
      const socket = await openConnection(context, web);
      assert.equal(await ask(socket, word), `10.99.0.2 ${word}`);
    }
    assert.equal(await ask(old, 'five'), '10.99.0.1 five');
  },
);

ipvsTest(
  'a reload applies the differences under a connection that stays',
  async (table, context) => {
    await runServers(context);
    const { agent, runs } = reconciler(context, table);
    await agent.configure([service()], reports('up', 'down'));
    const socket = await openConnection(context, web);
    assert.equal(await ask(socket, 'one'), '10.99.0.1 one');
    const settings = {
      scheduler: 'mh',
      persistence: { timeoutSeconds: 60, prefixLength: 24 },
      onePacket: false,
      schedulerFlags: 2,
    };
    const [firstServer] = servers;
    assert.ok(firstServer !== undefined);
    const changed = service({ settings, servers: [{ ...firstServer, weight: 9 }] });
    await agent.configure([changed], reports('up', 'down'));
    assert.deepEqual(
      runs.at(-1)?.operations.map(({ kind }) => kind),
      ['edit-service', 'edit-server', 'delete-server'],
    );
    assert.deepEqual(await savedTable(), [
      '-A -t 10.99.0.100:80 -s mh -p 60 -M 255.255.255.0 -b mh-port',
      '-a -t 10.99.0.100:80 -r 10.99.0.1:8080 -m -w 9',
    ]);
    assert.equal(await ask(socket, 'two'), '10.99.0.1 two');
  },
);

ipvsTest(
  'services of others are left alone by start, audit, reload and withdrawal',
  async (table, context) => {
    const foreign = [
      '-A -f 66 -s sh',
      '-A -u 10.99.0.100:80 -s rr -o',
      '-a -f 66 -r 10.99.0.9:0 -g -w 5',
    ];
    for (const line of foreign) await ipvsadm(...line.split(' '));
    const { agent } = reconciler(context, table);
    await agent.configure([service()], reports('up', 'up'));
    assert.equal(agent.status().foreignServices, 2);
    assert.deepEqual(await savedTable(), [...foreign, ...upTable].toSorted());
    await agent.audit();
    await agent.configure([service({ listeners: [{ ...web, port: 8888 }] })], reports('up', 'up'));
    assert.equal((await savedTable()).length, foreign.length + upTable.length);
    await agent.withdraw();
    assert.deepEqual(await savedTable(), foreign.toSorted());
  },
);

ipvsTest(
  'tunnels, SIP and servers of the other family are kept as configured',
  async (table, t) => {
    const { agent, runs } = reconciler(t, table);
    const tunnelled = { port: 5060, weight: 1, forwarding: 'tunnel' } as const;
    const thresholds = { upperThreshold: 0, lowerThreshold: 0 };
    const sip = service({
      listeners: [{ ...web, protocol: 'udp', port: 5060 }],
      settings: {
        scheduler: 'rr',
        onePacket: false,
        schedulerFlags: 0,
        persistence: { timeoutSeconds: 60, prefixLength: 32 },
        persistenceEngine: 'sip',
      },
      servers: [
        {
          ...tunnelled,
          ...thresholds,
          address: ipAddress('10.99.0.1'),
          encapsulation: { type: 'gue', port: 6080, checksum: 'remote' },
        },
        {
          ...tunnelled,
          ...thresholds,
          address: ipAddress('10.99.0.2'),
          encapsulation: { type: 'gre', checksum: 'full' },
        },
        { ...tunnelled, ...thresholds, address: ipAddress('2001:db8::9') },
      ],
    });
    await agent.configure([sip]);
    const of = '-a -u 10.99.0.100:5060 -r';
    assert.deepEqual(await savedTable(), [
      '-A -u 10.99.0.100:5060 -s rr -p 60 --pe sip',
      `${of} 10.99.0.1:5060 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum`,
      `${of} 10.99.0.2:5060 -i -w 1 --tun-type gre --tun-csum`,
      `${of} [2001:db8::9]:5060 -i -w 1 --tun-type ipip`,
    ]);
    await agent.audit();
    assert.deepEqual(runs.at(-1)?.operations, []);
    assert.deepEqual(runs.at(-1)?.errors, []);
  },
);

ipvsTest('an audit repairs whatever ipvsadm broke', async (table, context) => {
  const { agent, runs } = reconciler(context, table);
  await agent.configure([service()], reports('up', 'up'));
  const breakages: readonly (readonly string[])[] = [
    ['-E -t 10.99.0.100:80 -s lc -p 5'],
    ['-d -t 10.99.0.100:80 -r 10.99.0.1:8080'],
    ['-e -t 10.99.0.100:80 -r 10.99.0.2:8080 -m -w 7'],
    ['-a -t 10.99.0.100:80 -r 10.99.0.2:80 -i --tun-type gue --tun-port 99'],
    ['-e -t 10.99.0.100:80 -r 10.99.0.2:8080 -m -w 2 -x 9 -y 8'],
    ['-a -t 10.99.0.100:80 -r 10.99.0.3:8080 -m'],
    ['-D -t 10.99.0.100:80'],
    ['-C'],
    [
      '-D -t 10.99.0.100:80',
      '-A -t 10.99.0.100:80 -s rr',
      '-a -t 10.99.0.100:80 -r 10.99.0.8:1 -m',
    ],
  ];
  for (const commands of breakages) {
    for (const command of commands) await ipvsadm(...command.split(' '));
    await agent.audit();
    assert.ok((runs.at(-1)?.operations.length ?? 0) > 0, commands.join('; '));
    assert.deepEqual(await savedTable(), upTable, commands.join('; '));
    assert.deepEqual(runs.at(-1)?.errors, []);
    const thresholds = await ipvsadm('-L', '-n', '--thresholds');
    assert.match(thresholds, /10\.99\.0\.2:8080 +0 +0 /);
  }
});

ipvsTest('what the kernel refuses is told and does not stop the rest', async (table, context) => {
  const { agent, runs } = reconciler(context, table);
  const settings = { scheduler: 'nosuch', onePacket: false, schedulerFlags: 0 };
  const bad = service({ name: 'bad', listeners: [{ ...web, port: 1 }], settings });
  await agent.configure([bad, service()], reports('up', 'up'));
  assert.deepEqual(await savedTable(), upTable);
  const codes = runs[0]?.errors.map(({ code, errnoName }) => `${code} ${errnoName}`);
  assert.deepEqual(codes, ['IPVS_REFUSED ENOENT', 'IPVS_REFUSED ESRCH', 'IPVS_REFUSED ESRCH']);
  assert.match(runs[0]?.errors[0]?.hint ?? '', /modprobe ip_vs_nosuch/);
  assert.equal(agent.status().errorsTotal, 3);
});

ipvsTest(
  'two thousand servers are programmed, compared and changed one by one',
  async (table, context) => {
    const { agent, runs } = reconciler(context, table);
    const many = Array.from({ length: 20 }, (_, number) =>
      service({
        name: `web-${number}`,
        listeners: [{ ...web, port: 1_000 + number }],
        servers: Array.from({ length: 100 }, (__, last) => ({
          ...(servers[0] as ServerConfig),
          address: ipAddress(`10.98.${number}.${last + 1}`),
        })),
      }),
    );
    await agent.configure(many);
    await agent.audit();
    const [onlyService, ...others] = many;
    assert.ok(onlyService !== undefined);
    const [onlyServer, ...rest] = onlyService.servers;
    assert.ok(onlyServer !== undefined);
    const changed = { ...onlyService, servers: [...rest, { ...onlyServer, upperThreshold: 7 }] };
    await agent.configure([changed, ...others]);
    await agent.withdraw();
    assert.deepEqual(
      runs.map(({ trigger, operations, errors }) => [trigger, operations.length, errors.length]),
      [
        ['start', 2_020, 0],
        ['audit', 0, 0],
        ['change', 1, 0],
        ['withdraw', 20, 0],
      ],
    );
    assert.deepEqual(await savedTable(), []);
    for (const { trigger, durationMs } of runs) context.diagnostic(`${trigger}: ${durationMs} ms`);
  },
);

/** Runs both servers and gives this host the virtual address. */
async function runServers(context: TestContext): Promise<void> {
  addLocalAddress(web.address);
  for (const { address, port } of servers) {
    addLocalAddress(address);
    await echoServer(context, address, port);
  }
}

function agentVerdict(agent: Reconciler, ...states: readonly HealthState[]): void {
  agent.update(reports(...states));
}

async function counters(table: IpvsTable): Promise<IpvsStatistics> {
  const [only] = await table.services();
  assert.ok(only !== undefined);
  return only.statistics;
}
