import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFirewall } from '../../src/kernel/firewall.js';
import { keepsItsPromises } from '../tools/firewallTest.js';

test('a kernel without tables of nftables has its rules in iptables-legacy', async (context) => {
  const { backend } = await openFirewall('auto');
  assert.equal(backend, 'iptables-legacy');
  await keepsItsPromises(context, backend);
});
