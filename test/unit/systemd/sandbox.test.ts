import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import type { TandemConfig } from '../../../src/config/model.js';
import { directorRequirements } from '../../../src/host/requirements.js';
import { projectRoot } from '../../tools/sourceFiles.js';

/** Values of each key of a unit's `[Service]`, in order; an empty one takes back those before. */
function serviceSection(name: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  const text = readFileSync(join(projectRoot, 'systemd', name), 'utf8');
  const [, section = ''] = /^\[Service\]$(.*?)(?=^\[|$(?![\s\S]))/ms.exec(text) ?? [];
  for (const line of section.split('\n')) {
    const match = /^(\w+)=(.*)$/.exec(line);
    if (match === null) continue;
    const [, key = '', value = ''] = match;
    values.set(key, value === '' ? [] : [...(values.get(key) ?? []), value]);
  }
  return values;
}

const unit = serviceSection('tandem.service');

function words(key: string): readonly string[] {
  return (unit.get(key) ?? []).flatMap((value) => value.split(' '));
}

/** Everything that makes the agent set something of the kernel, in one file. */
const everything = `
cluster: sandbox
nodes:
  lb1: { address: 192.0.2.1, interface: eth0 }
  lb2: { address: 192.0.2.2, interface: eth0 }
virtualRouters:
  - name: web
    vrid: 51
    priority: 100
    addresses: [192.0.2.10/24]
    virtualMac: { enabled: true }
  - { name: inside, vrid: 52, interface: eth1.7, priority: 100, addresses: [10.0.0.1/24] }
services:
  - name: nat
    listen: tcp://192.0.2.10:80
    forward: nat
    persistence: { timeout: 6m }
    check: { type: tcp }
    servers: [{ address: '10.0.0.10:80' }]
  - name: routed
    listen: tcp://192.0.2.10:81
    forward: dr
    servers: [{ address: 192.0.2.20 }]
  - name: six
    listen: 'tcp://[2001:db8::10]:80'
    forward: nat
    servers: [{ address: '[2001:db8:1::10]:80' }]
system: { manage: true, masquerade: [{ from: 10.0.0.0/24 }] }
peering: { key: { file: /etc/tandem/peer.key } }
connectionSync: { mode: relay }
`;

function everyConfig(): TandemConfig {
  const { problems, configs } = checkConfigText(everything);
  assert.deepEqual(problems, []);
  const [config] = configs;
  assert.ok(config !== undefined);
  return config;
}

/** Whether a process of the unit may write a path, as systemd.exec(5) nests its paths. */
function isWritable(path: string): boolean {
  const below = (folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
  const open = words('ReadWritePaths').map((each) => each.replace(/^-/, ''));
  if (open.some(below)) return true;
  if (below('/proc/sys')) return !words('ProtectKernelTunables').includes('yes');
  if (words('RuntimeDirectory').some((name) => below(`/run/${name}`))) return true;
  return words('StateDirectory').some((name) => below(`/var/lib/${name}`));
}

test('every kernel setting that a configuration can ask for is open to the unit', () => {
  const settings = directorRequirements(everyConfig()).map(({ setting }) => setting);
  for (const part of ['ip_forward', 'rp_filter', 'send_redirects', 'vs.conntrack', 'vs.sync_']) {
    assert.ok(
      settings.some((setting) => setting.includes(part)),
      `the configuration of this test does not ask for ${part}`,
    );
  }
  // What virtual MACs, addresses and pings set; see the users of `writeSysctl`.
  const others = [
    'net.ipv4.conf.vrrp/51.arp_ignore',
    'net.ipv4.conf.eth0.promote_secondaries',
    'net.ipv4.ping_group_range',
    'net.ipv6.conf.vrrp/51.accept_dad',
  ];
  for (const setting of [...settings, ...others]) {
    const path = `/proc/sys/${setting.replaceAll('.', '/')}`;
    assert.ok(isWritable(path), `${path} is read-only under the unit`);
  }
});

test('other settings of the kernel and the rest of the file system are closed to it', () => {
  for (const path of ['/proc/sys/kernel/core_pattern', '/proc/sys/vm/overcommit_memory']) {
    assert.ok(!isWritable(path), path);
  }
  assert.deepEqual(words('ProtectSystem'), ['strict']);
  for (const path of ['/etc/tandem/tandem.yaml', '/usr/bin/tandem', '/run/systemd/system']) {
    assert.ok(!isWritable(path), path);
  }
});

test('the files that the agent writes by default are in folders that the unit makes', () => {
  const { api, overrides } = everyConfig();
  for (const path of [api.socket, overrides.stateFile, overrides.maintenanceFolder]) {
    assert.ok(isWritable(dirname(path)) || isWritable(path), path);
  }
});

test('the unit has the capabilities, address families and system calls of what it runs', () => {
  for (const capability of ['CAP_NET_ADMIN', 'CAP_NET_RAW']) {
    assert.ok(words('CapabilityBoundingSet').includes(capability), capability);
    assert.ok(words('AmbientCapabilities').includes(capability), `${capability} for nft`);
  }
  // IPVS and addresses, packets, probes, and raw sockets of iptables-legacy.
  for (const family of ['AF_NETLINK', 'AF_PACKET', 'AF_INET', 'AF_INET6', 'AF_UNIX']) {
    assert.ok(words('RestrictAddressFamilies').includes(family), family);
  }
  assert.ok(words('SystemCallFilter').includes('@system-service'));
  // IPVS answers only to the initial user namespace.
  assert.equal(unit.get('PrivateUsers'), undefined);
  assert.equal(unit.get('PrivateNetwork'), undefined);
});

test('the unit for rules without an election may do what restoring a table needs', () => {
  const rules = serviceSection('tandem-ipvs.service');
  assert.deepEqual(rules.get('CapabilityBoundingSet'), ['CAP_NET_ADMIN']);
  assert.match(rules.get('RestrictAddressFamilies')?.join(' ') ?? '', /AF_NETLINK/);
  assert.equal(rules.get('PrivateUsers'), undefined);
});
