import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configDrift, driftMax } from '../../../src/peer/comparison.js';
import { sharedConfig } from '../../../src/peer/sharedConfig.js';
import type { VirtualRouterSpec } from '../../../src/vrrp/protocol.js';
import { makeSpec, virtualAddress } from '../vrrp/support.js';

interface Row {
  readonly title: string;
  readonly here: readonly Partial<VirtualRouterSpec>[];
  readonly there: readonly Partial<VirtualRouterSpec>[];
  readonly drift: readonly string[];
}

const rows: readonly Row[] = [
  { title: 'equal configurations', here: [{}], there: [{}], drift: [] },
  { title: 'no routers at all', here: [], there: [], drift: [] },
  {
    title: 'another interval',
    here: [{}],
    there: [{ advertIntervalCs: 10 }],
    drift: ['router outside: advertInterval 1s here, 100ms there'],
  },
  {
    title: 'another version and another authentication',
    here: [{ version: 3 }],
    there: [{ version: 2, password: 'x' }],
    drift: [
      'router outside: version 3 here, 2 there',
      'router outside: authentication none here, password there',
    ],
  },
  {
    title: 'another preemption',
    here: [{ preempt: { enabled: true, delayMs: 10_000 } }],
    there: [{ preempt: { enabled: false, delayMs: 0 } }],
    drift: ['router outside: preempt yes, after 10s here, no there'],
  },
  {
    title: 'addresses on each side that the other has not',
    here: [{ addresses: ['192.0.2.100/24', '192.0.2.101/24'].map((text) => virtualAddress(text)) }],
    there: [{ addresses: ['192.0.2.100/24', '192.0.2.7/24'].map((text) => virtualAddress(text)) }],
    drift: [
      'router outside: address 192.0.2.101/24 only here',
      'router outside: address 192.0.2.7/24 only there',
    ],
  },
  {
    title: 'many addresses, of which a few are named',
    here: [{}],
    there: [
      {
        addresses: [100, 1, 2, 3, 4, 5, 6].map((last) => virtualAddress(`192.0.2.${last}/24`)),
      },
    ],
    drift: [
      'router outside: addresses 192.0.2.1/24 192.0.2.2/24 192.0.2.3/24 192.0.2.4/24 ' +
        '192.0.2.5/24 and 1 more only there',
    ],
  },
  {
    title: 'a router that one side has not',
    here: [{}, { name: 'inside', vrid: 52 }],
    there: [{}, { name: 'other', vrid: 60 }],
    drift: ['router inside (vrid 52): only here', 'router other (vrid 60): only there'],
  },
  {
    title: 'a router of another name with the same VRID',
    here: [{}],
    there: [{ name: 'public' }],
    drift: ['router outside: name outside here, public there'],
  },
  {
    title: 'another VRID',
    here: [{}],
    there: [{ vrid: 77 }],
    drift: ['router outside: vrid 51 here, 77 there'],
  },
];

for (const { title, here, there, drift } of rows) {
  test(`differences are told in words: ${title}`, () => {
    const own = sharedConfig(here.map((changes) => makeSpec(changes)));
    const peer = sharedConfig(there.map((changes) => makeSpec(changes)));
    assert.deepEqual(configDrift(own, peer), drift);
  });
}

test('a value that another version does not tell is not a difference', () => {
  const own = sharedConfig([makeSpec()]);
  const [router] = own.routers;
  assert.ok(router !== undefined);
  const { version: _, ...values } = router.values;
  const older = { digest: 'other', routers: [{ ...router, digest: 'other', values }] };
  assert.deepEqual(configDrift(own, older), []);
  assert.deepEqual(configDrift(older, own), []);
});

test('the list of differences is bounded and says how many were left out', () => {
  const routers = Array.from({ length: 150 }, (_, index) =>
    makeSpec({ name: `r${index}`, vrid: index + 1 }),
  );
  const drift = configDrift(sharedConfig(routers), sharedConfig([]));
  assert.equal(drift.length, driftMax);
  assert.equal(drift.at(-1), 'and 51 more');
});
