import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { desiredTable } from '../../../src/ipvs/desired.js';
import { type BadInput, type Change, changed, testBadInputs } from './soundConfig.js';

const tunnelled: readonly Change[] = [['forward: nat', 'forward: tunnel']];

function onlyService(...changes: readonly Change[]) {
  const { problems, configs } = checkConfigText(changed(...changes));
  assert.deepEqual(problems, []);
  const [service] = configs[0]?.services ?? [];
  assert.ok(service !== undefined);
  return service;
}

test('the tunnel of a server comes before that of its service, and ipip is the plain one', () => {
  const { servers } = onlyService(
    ['forward: nat', 'forward: tunnel\n    tunnel: { type: gue, port: 6080, checksum: remote }'],
    ['192.168.0.20:80, weight: 1 }', '192.168.0.20, tunnel: { type: gre, checksum: full } }'],
    ['192.168.0.10:80', '192.168.0.10'],
  );
  assert.deepEqual(
    servers.map(({ encapsulation }) => encapsulation),
    [
      { type: 'gue', port: 6080, checksum: 'remote' },
      { type: 'gre', checksum: 'full' },
    ],
  );
  const plain = onlyService(...tunnelled, [
    '192.168.0.20:80, weight: 1 }',
    '192.168.0.20, tunnel: { type: ipip } }',
  ]);
  assert.deepEqual(
    plain.servers.map(({ encapsulation }) => encapsulation),
    [undefined, undefined],
  );
});

test('the table that is wanted has the tunnel, and servers of the other family behind it', () => {
  const service = onlyService(
    ['forward: nat', 'forward: tunnel\n    tunnel: { type: gue, port: 6080 }'],
    ['192.168.0.20:80', "'[2001:db8::20]'"],
  );
  const none = new Map<string, never>();
  const input = { services: [service], health: none, adoptedWeights: none, previous: none };
  const [wanted] = desiredTable({ ...input, overrides: none }).services;
  assert.deepEqual(
    wanted?.servers.map(({ address, port, encapsulation }) => [address, port, encapsulation]),
    [
      ['192.168.0.10', 80, { type: 'gue', port: 6080, checksum: 'none' }],
      ['2001:db8::20', 80, { type: 'gue', port: 6080, checksum: 'none' }],
    ],
  );
});

test('the persistence engine is a setting of the service', () => {
  const { settings } = onlyService(
    ['listen: tcp://172.25.254.100:80', 'listen: udp://172.25.254.100:80'],
    ['forward: nat', 'forward: nat\n    persistence: { timeout: 1m, engine: sip }'],
  );
  assert.equal(settings.persistenceEngine, 'sip');
  assert.equal(settings.persistence?.timeoutSeconds, 60);
});

/** The lines of a sorry server that is used. */
function sorry(keys: string): string {
  return `    whenAllDown: sorry-server\n    sorryServer: { ${keys} }`;
}

test('a sorry server of the other family may be behind a tunnel', () => {
  const { sorryServer } = onlyService([
    'forward: nat',
    `forward: nat\n${sorry("address: '[2001:db8::9]', forward: tunnel, tunnel: { type: gre }")}`,
  ]);
  assert.deepEqual(sorryServer?.encapsulation, { type: 'gre', checksum: 'none' });
});

const badInputs: readonly BadInput[] = [
  {
    title: 'a tunnel where nothing is tunnelled',
    changes: [['forward: nat', 'forward: nat\n    tunnel: { type: gre }']],
    problems: [
      ['22:13 services[0].tunnel', 'is for forward tunnel, and no server here has it', 'remove it'],
    ],
  },
  {
    title: 'a tunnel of a server that has none',
    changes: [['weight: 2 }', 'tunnel: { type: gre } }']],
    problems: [
      [
        '28:45 services[0].servers[0].tunnel',
        'is for forward tunnel, and this server has forward nat',
        'remove it',
      ],
    ],
  },
  {
    title: 'a GUE tunnel without its port',
    changes: [...tunnelled, ['weight: 2 }', 'tunnel: { type: gue } }']],
    problems: [
      [
        '28:45 services[0].servers[0].tunnel.port',
        'is required and missing',
        'type: integer, 1 to 65535',
      ],
    ],
  },
  {
    title: 'a checksum that GRE does not have',
    changes: [...tunnelled, ['weight: 2 }', 'tunnel: { type: gre, checksum: remote } }']],
    problems: [
      ['28:68 services[0].servers[0].tunnel.checksum', 'must be one of none, full, got remote'],
    ],
  },
  {
    title: 'servers of both families beside a sync daemon',
    changes: [
      ...tunnelled,
      ['192.168.0.20:80', "'[2001:db8::20]'"],
      ['syncGroups:', 'connectionSync: { mode: kernel }\nsyncGroups:'],
    ],
    problems: [
      [
        '30:20 services[0].servers[1].address',
        'is IPv6, and the service is IPv4',
        'the kernel allows that only without connection sync: `connectionSync.mode: off`',
      ],
    ],
  },
  {
    title: 'a sorry server of the other family without a tunnel',
    changes: [['forward: nat', `forward: nat\n${sorry("address: '[2001:db8::9]:80'")}`]],
    problems: [
      [
        '23:29 services[0].sorryServer.address',
        'is IPv6, and the service is IPv4',
        'server and listener are of one family',
      ],
    ],
  },
  {
    title: 'a tunnelled sorry server of the other family beside a sync daemon',
    changes: [
      ['forward: nat', `forward: nat\n${sorry("address: '[2001:db8::9]', forward: tunnel")}`],
      ['syncGroups:', 'connectionSync: { mode: kernel }\nsyncGroups:'],
    ],
    problems: [
      [
        '24:29 services[0].sorryServer.address',
        'is IPv6, and the service is IPv4',
        'the kernel allows that only without connection sync: `connectionSync.mode: off`',
      ],
    ],
  },
  {
    title: 'a sorry server that is the virtual address, on a port that tunnels do not change',
    changes: [
      [
        'forward: nat',
        `forward: nat\n${sorry('address: 172.25.254.100:81, forward: dr, lowerThreshold: 2')}`,
      ],
    ],
    problems: [
      [
        '23:29 services[0].sorryServer.address',
        'dr keeps port 80, got port 81',
        'use 80 or leave it out',
      ],
      [
        '23:29 services[0].sorryServer.address',
        '172.25.254.100 is the virtual address itself',
        "use the server's own address",
      ],
      [
        '23:77 services[0].sorryServer.lowerThreshold',
        'must not exceed upperThreshold 0, got 2',
        'give upperThreshold as well',
      ],
    ],
  },
  {
    title: 'the SIP engine for TCP',
    changes: [['forward: nat', 'forward: nat\n    persistence: { engine: sip }']],
    problems: [
      [
        '22:28 services[0].persistence.engine',
        'sip reads UDP only, and this service listens to tcp',
        'make a service of its own for each protocol',
      ],
    ],
  },
];

testBadInputs(badInputs);
