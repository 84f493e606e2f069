import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { IpvsOperation, ServiceIdentity } from '../../../src/wire/ipvsModel.js';
import {
  describeOperation,
  formatServiceIdentity,
  parseServiceIdentity,
} from '../../../src/wire/ipvsText.js';
import { anyIdentity } from './ipvsArbitraries.js';

const web: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.0.0.1'),
  port: 80,
};

test('a service is written as an operator writes it', () => {
  const ipv6 = { ...web, protocol: 'udp' as const, address: ipAddress('2001:db8::1'), port: 53 };
  assert.equal(formatServiceIdentity(web), 'tcp://10.0.0.1:80');
  assert.equal(formatServiceIdentity(ipv6), 'udp://[2001:db8::1]:53');
  assert.equal(formatServiceIdentity({ kind: 'fwmark', family: 4, fwmark: 66 }), 'fwmark:66');
  assert.equal(formatServiceIdentity({ kind: 'fwmark', family: 6, fwmark: 66 }), 'fwmark6:66');
});

test('every service reads back from its text', () => {
  fc.assert(
    fc.property(anyIdentity, (identity) => {
      assert.deepEqual(parseServiceIdentity(formatServiceIdentity(identity)), identity);
    }),
  );
});

test('texts that name no service are refused', () => {
  const wrong = [
    '',
    'tcp',
    'tcp://',
    'tcp://10.0.0.1',
    'tcp://10.0.0.1:',
    'tcp://10.0.0.1:65536',
    'tcp://10.0.0.1:-1',
    'tcp://10.0.0.1:80 ',
    'tcp://[10.0.0.1]:80',
    'tcp://2001:db8::1:80',
    'tcp://[2001:db8::1]',
    'tcp://example.org:80',
    'icmp://10.0.0.1:80',
    'fwmark:0',
    'fwmark:4294967296',
    'fwmark:-1',
    'fwmark4:1',
  ];
  for (const text of wrong) assert.equal(parseServiceIdentity(text), undefined, text);
});

test('a change is described in one line that names service, server and settings', () => {
  const server = {
    address: ipAddress('10.0.0.2'),
    port: 8080,
    forwarding: 'nat' as const,
    weight: 2,
    upperThreshold: 100,
    lowerThreshold: 50,
  };
  const service = {
    identity: web,
    scheduler: 'sh',
    persistence: { timeoutSeconds: 360, prefixLength: 24 },
    onePacket: false,
    schedulerFlags: 3,
  };
  const lines: readonly (readonly [IpvsOperation, string])[] = [
    [
      { kind: 'add-service', service },
      'add service tcp://10.0.0.1:80 (scheduler sh, scheduler flags 3, persistent 360s by /24)',
    ],
    [
      {
        kind: 'edit-service',
        service: { identity: web, scheduler: 'rr', onePacket: true, schedulerFlags: 0 },
      },
      'edit service tcp://10.0.0.1:80 (scheduler rr, one packet)',
    ],
    [{ kind: 'delete-service', service: web }, 'delete service tcp://10.0.0.1:80'],
    [
      { kind: 'add-server', service: web, server },
      'add server tcp://10.0.0.1:80 -> 10.0.0.2:8080 (nat, weight 2, thresholds 50..100)',
    ],
    [
      {
        kind: 'edit-server',
        service: web,
        server: {
          ...server,
          forwarding: 'tunnel',
          upperThreshold: 0,
          lowerThreshold: 0,
          encapsulation: { type: 'gre', checksum: 'none' },
        },
      },
      'edit server tcp://10.0.0.1:80 -> 10.0.0.2:8080 (tunnel gre, weight 2)',
    ],
    [
      { kind: 'delete-server', service: web, server },
      'delete server tcp://10.0.0.1:80 -> 10.0.0.2:8080',
    ],
  ];
  for (const [operation, line] of lines) assert.equal(describeOperation(operation), line);
});
