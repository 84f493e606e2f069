import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import { purposesOf } from '../../../src/doctor/purpose.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';

const text = `
cluster: x
nodes:
  lb1: { address: 192.168.0.101, interface: eth1 }
  lb2: { address: 192.168.0.102, interface: eth1 }
virtualRouters:
  - { name: inside, vrid: 52, priority: { lb1: 150, lb2: 100 }, addresses: [192.168.0.100/24] }
services:
  - name: web
    listen: tcp://172.25.254.100:80
    forward: nat
    servers: [{ address: '192.168.0.10:8080' }, { address: '192.168.0.20:8081' }]
  - name: mail
    listen: [tcp://192.168.0.220:25, tcp://192.168.0.221:25]
    forward: dr
    servers: [{ address: 192.168.0.10 }]
`;

test("a server's purpose is what the services of the directors' file say of it", () => {
  const { configs, problems } = checkConfigText(text);
  assert.deepEqual(problems, []);
  const directors = ['192.168.0.100', '192.168.0.101', '192.168.0.102'];
  assert.deepEqual(purposesOf(configs, ipAddress('192.168.0.10')), [
    {
      mode: 'nat',
      virtualAddresses: [],
      directors,
      ports: [{ protocol: 'tcp', port: 8080 }],
      encapsulations: [],
      server: '192.168.0.10',
    },
    {
      mode: 'dr',
      virtualAddresses: ['192.168.0.220', '192.168.0.221'],
      directors,
      ports: [{ protocol: 'tcp', port: 25 }],
      encapsulations: [],
      server: '192.168.0.10',
    },
  ]);
  assert.deepEqual(purposesOf(configs, ipAddress('192.168.0.99')), []);
});

test('a purpose says how tunnels wrap packets, and which ports a mark stands for', () => {
  const tunnels = `${text}
  - name: marked
    fwmark: 66
    marks: [tcp://192.168.0.222:80, tcp://192.168.0.222:443]
    forward: tunnel
    tunnel: { type: gre, checksum: full }
    servers: [{ address: 192.168.9.10 }]
  - name: more
    listen: tcp://192.168.0.223:80
    forward: tunnel
    servers: [{ address: 192.168.9.10 }]
`;
  const { configs, problems } = checkConfigText(tunnels);
  assert.deepEqual(problems, []);
  const [purpose, ...others] = purposesOf(configs, ipAddress('192.168.9.10'));
  assert.deepEqual(others, []);
  assert.deepEqual(purpose?.encapsulations, [{ type: 'gre', checksum: 'full' }, undefined]);
  assert.deepEqual(purpose?.virtualAddresses, ['192.168.0.222', '192.168.0.223']);
  assert.deepEqual(
    purpose?.ports.map(({ port }) => port),
    [80, 443],
  );
});
