import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { persistentFiles, unwritableParts } from '../../../src/host/realServerFiles.js';
import { joinedPlan, realServerPlan, realServerPlansOf } from '../../../src/host/realServerPlan.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const virtual4 = ipAddress('198.51.100.7');
const virtual6 = ipAddress('2001:db8::7');
const server4 = ipAddress('192.0.2.10');
const server6 = ipAddress('2001:db8:1::10');
const gue = { type: 'gue', port: 6080, checksum: 'full' } as const;
const gre = { type: 'gre', checksum: 'none' } as const;
const summedGre = { type: 'gre', checksum: 'full' } as const;

/** The devices that packets come out of, by the virtual address, the server and the wrapping. */
const devices = [
  [virtual4, server4, undefined, 'tunl0', 'tunl0'],
  [virtual6, server4, undefined, 'sit0', 'lo'],
  [virtual4, server6, undefined, 'tandem-ip6tnl', 'tandem-ip6tnl'],
  [virtual6, server6, undefined, 'tandem-ip6tnl', 'lo'],
  [virtual4, server4, gue, 'tunl0', 'tunl0'],
  [virtual6, server6, gue, 'tandem-ip6tnl', 'lo'],
  [virtual4, server4, gre, 'gre0', 'gre0'],
  [virtual4, server6, gre, 'ip6gre0', 'ip6gre0'],
  [virtual6, server4, summedGre, 'tandem-gre', 'lo'],
  [virtual4, server6, summedGre, 'tandem-gre6', 'tandem-gre6'],
] as const;

for (const [virtual, server, encapsulation, device, placed] of devices) {
  const kind = encapsulation === undefined ? 'ipip' : Object.values(encapsulation).join(' ');
  test(`${virtual} comes to ${server} by ${kind} through ${device}`, () => {
    const reception = { server, ...(encapsulation === undefined ? {} : { encapsulation }) };
    const plan = realServerPlan('tunnel', [virtual], reception);
    assert.deepEqual(
      plan.tunnels.map(({ name }) => name),
      [device],
    );
    assert.deepEqual(
      plan.addresses.map((address) => [address.device, address.prefix.address]),
      [[placed, virtual]],
    );
    const family = server === server4 ? 4 : 6;
    assert.deepEqual(plan.ports, encapsulation === gue ? [{ family, port: 6080 }] : []);
    const loose = plan.settings.filter(({ setting }) => setting.includes('rp_filter'));
    assert.deepEqual(
      loose.map(({ setting }) => setting),
      virtual === virtual4 ? [`net.ipv4.conf.${device}.rp_filter`] : [],
    );
    assert.equal(plan.tunnels[0]?.local, device.startsWith('tandem-') ? server : undefined);
  });
}

test('GRE with checksums and IP in IPv6 need the address that their packets come to', () => {
  const reception = { encapsulation: summedGre };
  assert.throws(() => realServerPlan('tunnel', [virtual4], reception), RangeError);
  assert.throws(() => realServerPlan('tunnel', [virtual6]), RangeError);
  assert.throws(() => realServerPlan('tunnel', [virtual6], { encapsulation: gue }), RangeError);
});

test('a tunnel over IPv6 is a device of systemd-networkd', () => {
  const plan = realServerPlan('tunnel', [virtual6], { server: server6 });
  const [netdev] = persistentFiles(plan).filter(({ path }) => path.endsWith('.netdev'));
  assert.equal(netdev?.path, '/etc/systemd/network/50-tandem-ip6tnl.netdev');
  assert.match(netdev.text, /Kind=ip6tnl\n\n\[Tunnel\]\nMode=any\nLocal=2001:db8:1::10\n/);
});

const text = `
cluster: x
nodes:
  lb1: { address: 192.0.2.1, interface: eth0 }
  lb2: { address: 192.0.2.2, interface: eth0 }
services:
  - name: direct
    listen: tcp://198.51.100.7:80
    forward: dr
    servers: [{ address: 192.0.2.10 }, { address: 192.0.2.20 }]
  - name: plain
    listen: tcp://198.51.100.8:80
    forward: tunnel
    servers: [{ address: 192.0.2.10 }]
  - name: wrapped
    listen: tcp://198.51.100.9:80
    forward: tunnel
    tunnel: { type: gue, port: 6080 }
    servers: [{ address: 192.0.2.10 }, { address: 192.0.2.20, tunnel: { type: gre } }]
`;

test('one server of a file gets a plan for each way that packets come to it', () => {
  const { configs, problems } = checkConfigText(text);
  assert.deepEqual(problems, []);
  const plans = realServerPlansOf(configs[0]?.services ?? [], server4);
  assert.deepEqual(
    plans.map(({ mode, addresses, ports }) => [
      mode,
      addresses.map(({ prefix }) => prefix.address),
      ports.length,
    ]),
    [
      ['dr', ['198.51.100.7'], 0],
      ['tunnel', ['198.51.100.8'], 0],
      ['tunnel', ['198.51.100.9'], 1],
    ],
  );
  const [first, ...others] = plans;
  assert.ok(first !== undefined);
  // One file of each kind has what all of the plans ask for.
  const files = persistentFiles(joinedPlan([first, ...others]));
  const paths = files.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  const textOf = (name: string): string =>
    files.find(({ path }) => path.endsWith(name))?.text ?? '';
  assert.match(textOf('lo.network'), /Address=198\.51\.100\.7\/32/);
  assert.match(textOf('tunl0.network'), /198\.51\.100\.8\/32.*198\.51\.100\.9\/32/s);
  assert.match(textOf('modules-load.d/tandem-realserver.conf'), /^ipip\nfou$/m);
  assert.match(
    textOf('50-tandem-gue6080.netdev'),
    /Kind=fou\n\n\[FooOverUDP\]\nEncapsulation=GenericUDPEncapsulation\nPort=6080\n/,
  );
});

test('what systemd-networkd has no words for is named', () => {
  const partsOf = (server: typeof server4, encapsulation: typeof gue | typeof summedGre) =>
    unwritableParts(realServerPlan('tunnel', [virtual4], { server, encapsulation }));
  assert.deepEqual(partsOf(server4, gue), []);
  assert.deepEqual(partsOf(server6, gue), ['a GUE tunnel over IPv6']);
  assert.deepEqual(partsOf(server4, summedGre), ['a GRE tunnel with checksums']);
});
