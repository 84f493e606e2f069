import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import type { TandemConfig } from '../../../src/config/model.js';
import { changed, problemsOf, soundConfig } from './soundConfig.js';

function configsOf(text: string): readonly [TandemConfig, TandemConfig] {
  assert.deepEqual(problemsOf(text), []);
  const [first, second] = checkConfigText(text).configs;
  assert.ok(first !== undefined && second !== undefined);
  return [first, second];
}

test('what is not given has the documented default', () => {
  const [config] = configsOf(soundConfig);
  assert.deepEqual(config.virtualRouters[0], {
    name: 'outside',
    vrid: 51,
    interface: 'eth0',
    priority: 150,
    peerPriorities: [100],
    onlyBackup: true,
    advertIntervalCs: 100,
    preempt: { enabled: true, delayMs: 0 },
    startupDelayMs: 0,
    addresses: [{ prefix: { address: '172.25.254.100', length: 24 }, interface: 'eth0' }],
    version: 3,
    checksum: 'pseudo-header',
    announcements: { repeat: 5, delayMs: 5000, refreshMs: 60_000 },
  });
  assert.deepEqual(config.services[0]?.check, {
    probe: {
      type: 'http',
      method: 'GET',
      path: '/healthz',
      expectStatus: [{ from: 200, to: 299 }],
    },
    timing: { intervalMs: 2000, timeoutMs: 1000, rise: 2, fall: 3 },
  });
  assert.deepEqual(config.ipvs, { onStop: 'keep', auditIntervalMs: 30_000 });
  assert.deepEqual(config.connectionSync, { mode: 'off' });
  assert.deepEqual(config.api, { socket: '/run/tandem/tandem.sock' });
  assert.deepEqual(config.log, { level: 'info' });
});

test('the configuration survives structured cloning, since threads get parts of it', () => {
  const [config] = configsOf(soundConfig);
  assert.deepEqual(structuredClone(config), config);
});

test('interfaces and priorities are those of the node', () => {
  const [lb1, lb2] = configsOf(
    changed(
      ['interface: eth1', 'interface: { lb1: eth1, lb2: ens9 }'],
      ['[172.25.254.100/24]', '[{ address: 172.25.254.100/24, interface: { lb1: a, lb2: b } }]'],
    ),
  );
  const seen = (config: TandemConfig) =>
    config.virtualRouters.map((router) => [
      router.interface,
      router.priority,
      router.addresses[0]?.interface,
    ]);
  assert.deepEqual(seen(lb1), [
    ['eth0', 150, 'a'],
    ['eth1', 150, 'eth1'],
  ]);
  assert.deepEqual(seen(lb2), [
    ['eth0', 100, 'b'],
    ['ens9', 100, 'ens9'],
  ]);
});

test('an advertisement interval becomes centiseconds, however it is written', () => {
  for (const [written, centiseconds] of [
    ['10ms', 1],
    ['0.07s', 7],
    ['40.95s', 4095],
    ['40950ms', 4095],
  ] as const) {
    const [config] = configsOf(changed(['vrid: 51', `vrid: 51\n    advertInterval: ${written}`]));
    assert.equal(config.virtualRouters[0]?.advertIntervalCs, centiseconds);
  }
});

test('servers without a port take that of the listeners', () => {
  const [config] = configsOf(
    changed(
      ['tcp://172.25.254.100:80', '[tcp://172.25.254.100:53, udp://172.25.254.100:53]'],
      ['192.168.0.10:80', '192.168.0.10'],
      ['192.168.0.20:80', '192.168.0.20:5353'],
    ),
  );
  const [service] = config.services;
  assert.deepEqual(
    service?.servers.map((server) => server.port),
    [53, 5353],
  );
  assert.deepEqual(
    service?.listeners.map((listener) => listener.kind === 'address' && listener.protocol),
    ['tcp', 'udp'],
  );
});

test('servers of a firewall mark keep the port of the packet', () => {
  const [config] = configsOf(
    changed(
      ['listen: tcp://172.25.254.100:80', 'fwmark: 0x1a0a\n    family: ipv6'],
      ['192.168.0.10:80', '"[2001:db8::10]"'],
      ['192.168.0.20:80', '"[2001:db8::20]:8080"'],
      ['timeout: 1s', 'timeout: 1s\n      port: 80'],
    ),
  );
  const [service] = config.services;
  assert.deepEqual(service?.listeners, [{ kind: 'fwmark', family: 6, fwmark: 6666 }]);
  assert.deepEqual(
    service?.servers.map(({ address, port }) => [address, port]),
    [
      ['2001:db8::10', 0],
      ['2001:db8::20', 8080],
    ],
  );
  assert.equal(service?.check?.port, 80);
});

test('persistence counts seconds and leading bits, all of them unless said otherwise', () => {
  const persistence = (text: string) =>
    configsOf(changed(['    forward: nat', `    forward: nat\n    persistence: ${text}`]))[0]
      .services[0]?.settings.persistence;
  assert.deepEqual(persistence('{}'), { timeoutSeconds: 360, prefixLength: 32 });
  assert.deepEqual(persistence('{ timeout: 50m, netmask: 255.255.255.0 }'), {
    timeoutSeconds: 3000,
    prefixLength: 24,
  });
  assert.deepEqual(persistence('{ prefixLength: 0 }'), { timeoutSeconds: 360, prefixLength: 0 });
});

test('the flags of a scheduler are its bits of the kernel', () => {
  for (const [scheduler, flags, mask] of [
    ['sh', 'sh-fallback', 1],
    ['sh', 'sh-port', 2],
    ['mh', 'mh-fallback, mh-port', 3],
  ] as const) {
    const [config] = configsOf(
      changed(['scheduler: wrr', `scheduler: ${scheduler}\n    schedulerFlags: [${flags}]`]),
    );
    assert.equal(config.services[0]?.settings.schedulerFlags, mask);
  }
});

test('a server may be reached in its own way', () => {
  const [config] = configsOf(changed(['weight: 2', 'weight: 2, forward: tunnel']));
  assert.deepEqual(
    config.services[0]?.servers.map((server) => server.forwarding),
    ['tunnel', 'nat'],
  );
});

test('kernel sync takes the interface of the node unless it names one', () => {
  const sync = (text: string) =>
    configsOf(`${soundConfig}connectionSync: ${text}\n`).map((config) => config.connectionSync);
  const plain = { mode: 'kernel', interface: 'eth0', syncId: 0 };
  assert.deepEqual(sync('{ mode: kernel }'), [plain, plain]);
  assert.deepEqual(
    sync(
      '{ mode: kernel, interface: { lb1: a, lb2: b }, syncId: 5, group: 224.0.0.9, port: 1,' +
        ' ttl: 2, maxLength: 44 }',
    ),
    ['a', 'b'].map((name) => ({
      mode: 'kernel',
      interface: name,
      syncId: 5,
      group: '224.0.0.9',
      port: 1,
      ttl: 2,
      maxLengthBytes: 44,
    })),
  );
});

test('the relay is known by its mode, and has the ports of the kernel', () => {
  const [config] = configsOf(
    `${soundConfig}peering: { key: { file: /k } }\n` +
      'connectionSync: { mode: relay, ports: 4, joinWait: 5s }\n',
  );
  assert.deepEqual(config.connectionSync, {
    mode: 'relay',
    syncId: 0,
    group: '224.0.0.81',
    port: 8848,
    portCount: 4,
    entriesMax: 1_000_000,
    joinWaitMs: 5_000,
  });
});

test('a check by TCP needs no more than its type', () => {
  const [config] = configsOf(changed(['type: http\n      path: /healthz\n', 'type: tcp\n']));
  assert.deepEqual(config.services[0]?.check?.probe, { type: 'tcp' });
});

test('all that an HTTP check can expect arrives', () => {
  const [config] = configsOf(
    changed([
      'path: /healthz',
      'method: POST\n      host: www.example.com\n' +
        '      expect: { status: [204, 300-302], bodyContains: ok, bodyMatches: "^o.$" }',
    ]),
  );
  assert.deepEqual(config.services[0]?.check?.probe, {
    type: 'http',
    method: 'POST',
    path: '/',
    host: 'www.example.com',
    expectStatus: [
      { from: 204, to: 204 },
      { from: 300, to: 302 },
    ],
    bodyContains: 'ok',
    bodyMatches: '^o.$',
  });
});
