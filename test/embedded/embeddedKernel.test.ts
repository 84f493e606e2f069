import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readKernelFacts } from '../../src/drill/kernelChoice.js';
import { LabNetwork, namespaceNames } from '../../src/drill/labNetwork.js';
import { natTopology } from '../../src/drill/natTopologies.js';

test('the embedded kernel says that it is one, has IPVS, and gives root', async () => {
  const facts = await readKernelFacts();
  assert.deepEqual(
    { ...facts, release: '' },
    { root: true, privileged: true, ipvs: true, release: '', inside: true },
  );
});

test('the network of a lab stands in the embedded kernel and leaves nothing behind', () => {
  const network = new LabNetwork(natTopology, 'a1b2c3');
  try {
    const addresses = network.addresses('lb1').map(({ address }) => address);
    assert.ok(addresses.includes('172.25.254.101' as (typeof addresses)[number]));
    const forwarding = network
      .namespace('lb1')
      .run(() => readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim());
    assert.equal(forwarding, '1');
  } finally {
    network.remove();
  }
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  for (const name of namespaceNames(natTopology, 'a1b2c3')) assert.ok(!mounts.includes(name));
});
