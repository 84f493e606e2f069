import assert from 'node:assert/strict';
import { firewallBackends, openFirewall } from '../../src/kernel/firewall.js';
import { firewallIn, keepsItsPromises } from '../tools/firewallTest.js';
import { rootTest } from './support/rootTest.js';

for (const backend of firewallBackends) {
  rootTest(`${backend}: sets are replaced, audited and removed without a trace`, (context) =>
    keepsItsPromises(context, backend),
  );
}

rootTest('left to itself it takes what this kernel has', async (context) => {
  if ((await firewallIn(context, 'nftables')) === undefined) return;
  assert.equal((await openFirewall('auto')).backend, 'nftables');
});

rootTest('rules that cannot be are refused with the words of the tool', async (context) => {
  const firewall = await firewallIn(context, 'nftables');
  const rule = {
    kind: 'sender-only',
    family: 4,
    interface: 'lo',
    port: 70_000,
    userId: 0,
  } as const;
  await assert.rejects(async () => firewall?.replace({ name: 'sync', rules: [rule] }), {
    code: 'FIREWALL_REFUSED',
    message: /nftables refused the rules of sync: .*out of range/,
  });
});
