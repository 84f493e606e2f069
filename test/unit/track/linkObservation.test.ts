import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Link, Route, RouteHop } from '../../../src/kernel/routeModel.js';
import { makeLinkView, observeLink } from '../../../src/track/linkObservation.js';
import type { LinkSubject } from '../../../src/track/model.js';
import { ipAddress, parseIpPrefix } from '../../../src/wire/ipAddress.js';

const macAddress = new Uint8Array(6);
const link = (index: number, name: string, up: boolean, running: boolean): Link => ({
  ...{ index, name, up, running, macAddress },
  mtu: 1500,
});
const prefix = (text: string) => {
  const parsed = parseIpPrefix(text);
  assert.ok(parsed !== undefined);
  return parsed;
};
const route = (destination: string, ...hops: readonly RouteHop[]): Route => ({
  table: 254,
  destination: prefix(destination),
  hops,
});
const gateway = ipAddress('192.0.2.1');

const view = makeLinkView({
  links: [
    link(1, 'lo', true, true),
    link(2, 'eth0', true, true),
    link(3, 'eth1', true, false),
    link(4, 'eth2', false, false),
  ],
  addresses: [
    { interfaceIndex: 2, prefix: prefix('192.0.2.2/24'), secondary: false },
    { interfaceIndex: 3, prefix: prefix('2001:db8::2/64'), secondary: false },
  ],
  routes: [
    route('0.0.0.0/0', { gateway, interfaceIndex: 2, usable: true }),
    route('10.1.0.0/16', { interfaceIndex: 3, usable: false }),
    route(
      '10.2.0.0/16',
      { gateway: ipAddress('192.0.2.7'), interfaceIndex: 3, usable: false },
      { gateway, interfaceIndex: 2, usable: true },
    ),
    route('10.3.0.0/16'),
  ],
});

const interfaceNamed = (name: string): LinkSubject => ({ type: 'interface', interface: name });
const routeTo = (
  destination: string,
  changes: { gateway?: typeof gateway; interface?: string; table?: number } = {},
): LinkSubject => ({ type: 'route', destination: prefix(destination), table: 254, ...changes });
const address = (text: string, name?: string): LinkSubject => ({
  type: 'address',
  address: ipAddress(text),
  ...(name === undefined ? {} : { interface: name }),
});

for (const [subject, outcome, detail] of [
  [interfaceNamed('eth0'), 'passed', 'eth0 is up'],
  [interfaceNamed('eth1'), 'failed', 'eth1 has no carrier'],
  [interfaceNamed('eth2'), 'failed', 'eth2 is down'],
  [interfaceNamed('eth9'), 'failed', 'there is no interface eth9'],
  [address('192.0.2.2'), 'passed', '192.0.2.2 is on eth0'],
  [address('2001:db8::2', 'eth1'), 'passed', '2001:db8::2 is on eth1'],
  [address('192.0.2.2', 'eth1'), 'failed', '192.0.2.2 is not on eth1 but on eth0'],
  [address('192.0.2.3', 'eth1'), 'failed', '192.0.2.3 is not on eth1'],
  [address('192.0.2.3'), 'failed', '192.0.2.3 is on no interface'],
  [routeTo('0.0.0.0/0'), 'passed', 'the default route is there via 192.0.2.1 on eth0'],
  [routeTo('0.0.0.0/0', { table: 100 }), 'failed', 'the default route is not in table 100'],
  [routeTo('10.0.0.0/8'), 'failed', '10.0.0.0/8 is not in table 254'],
  [routeTo('10.1.0.0/16'), 'failed', '10.1.0.0/16 is in table 254, but its link is down'],
  [routeTo('10.2.0.0/16'), 'passed', '10.2.0.0/16 is there via 192.0.2.1 on eth0'],
  [
    routeTo('10.2.0.0/16', { interface: 'eth1' }),
    'failed',
    '10.2.0.0/16 is in table 254, but its link is down',
  ],
  [
    routeTo('0.0.0.0/0', { gateway: ipAddress('192.0.2.9') }),
    'failed',
    'the default route is in table 254, but leads another way',
  ],
  [routeTo('10.3.0.0/16'), 'failed', '10.3.0.0/16 is in table 254, but leads another way'],
] as const) {
  test(`a look at the machine says: ${detail}`, () => {
    assert.deepEqual(observeLink(subject, view), { outcome, detail });
  });
}
