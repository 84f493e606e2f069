import assert from 'node:assert/strict';
import { collectRealServer } from '../../src/doctor/collect/realServer.js';
import { diagnoseRealServer } from '../../src/doctor/diagnose.js';
import type { Finding } from '../../src/doctor/findings.js';
import type { Lab } from '../../src/drill/lab.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { waitFor } from '../tools/waiting.js';
import {
  assertFirst,
  change,
  doctorLab,
  examine,
  knock,
  on,
  serviceWith,
  tcp,
} from './doctorSupport.js';
import { ipvsTest } from './ipvsSupport.js';

const virtual = '192.168.0.220';

ipvsTest('with direct routing the faults of servers are found', async (_, t) => {
  const lab = await doctorLab(t, 'dr');
  lab.network.namespace('lb1').enter();
  on(lab, 'lb1', `ip address add ${virtual}/24 dev eth0`);
  await change(serviceWith(tcp(virtual, 80), 'dr', ['192.168.0.10', '192.168.0.20']));
  await t.test('a healthy lab has no finding', async () => {
    assert.deepEqual(await examine(), []);
  });
  await t.test('a server without the virtual address: virtual-address-missing', async () => {
    on(lab, 'rs1', `ip address del ${virtual}/32 dev lo`);
    const findings = await examine();
    on(lab, 'rs1', `ip address add ${virtual}/32 dev lo`);
    assertFirst(
      findings,
      'virtual-address-missing',
      /server 192\.168\.0\.10 does not have the virtual address 192\.168\.0\.220/,
      /tandem realserver apply --vip 192\.168\.0\.220 --mode dr --persist/,
    );
    assert.equal(findings.length, 1);
  });
  await t.test('a server that answers ARP for it: server-answers-arp', async () => {
    on(lab, 'rs2', 'sysctl -q -w net.ipv4.conf.all.arp_ignore=0');
    const findings = await examine();
    on(lab, 'rs2', 'sysctl -q -w net.ipv4.conf.all.arp_ignore=1');
    assertFirst(findings, 'server-answers-arp', /192\.168\.0\.20 answers ARP/, /which is 192\.168/);
    assert.equal(findings.length, 1);
  });
  await t.test('when they are mended nothing is found', async () => {
    assert.deepEqual(await examine(), []);
  });
});

ipvsTest('through tunnels the faults of servers and of the path are found', async (_, t) => {
  const lab = await doctorLab(t, 'tunnel');
  const director = lab.network.namespace('lb1');
  director.enter();
  on(lab, 'lb1', `ip address add ${virtual}/24 dev eth0`);
  const [first, second] = ['192.168.1.10', '192.168.1.20'];
  await change(serviceWith(tcp(virtual, 80), 'tunnel', [first, second]));
  /** The findings of the director while clients ask, and those of the first server. */
  const look = async () => {
    const poller = knock(lab, 'client', 80, { address: virtual });
    director.enter();
    const findings = await examine({ windowMs: 3_500 });
    poller.close();
    return { findings, onServer: await lookAtServer(lab) };
  };
  await t.test('a healthy lab has no finding', async () => {
    assert.deepEqual(await look(), { findings: [], onServer: [] });
  });
  await t.test('a server whose tunnel is down: tunnel-missing', async () => {
    on(lab, 'rs1', 'ip link set tunl0 down');
    const { findings, onServer } = await waitFor('a finding', async () => {
      const seen = await look();
      return seen.findings.length > 0 && seen;
    });
    on(lab, 'rs1', 'ip link set tunl0 up');
    assertFirst(findings, 'tunnel-missing', /192\.168\.1\.10 does not take 192\.168\.0\.220 out/);
    assertFirst(onServer, 'tunnel-missing', /tunl0 is down/);
  });
  await t.test('a server with the strict filter: tunnel-missing, reverse-path-filter', async () => {
    on(lab, 'rs1', 'sysctl -q -w net.ipv4.conf.tunl0.rp_filter=1');
    const { findings, onServer } = await look();
    on(lab, 'rs1', 'sysctl -q -w net.ipv4.conf.tunl0.rp_filter=2');
    assertFirst(findings, 'tunnel-missing', /doctor --realserver/);
    assertFirst(onServer, 'reverse-path-filter', /rp_filter is 1 \(strict\) for tunl0/);
  });
  await t.test('a path that drops large packets without a word: tunnel-mtu', async () => {
    on(lab, 'fabric', 'ip link set rs2-far mtu 1300');
    director.enter();
    const findings = await examine();
    on(lab, 'fabric', 'ip link set rs2-far mtu 1500');
    assertFirst(findings, 'tunnel-mtu', /ping of 1500 bytes to 192\.168\.1\.20/, /advmss/);
  });
});

async function lookAtServer(lab: Lab): Promise<readonly Finding[]> {
  lab.network.namespace('rs1').enter();
  const facts = await collectRealServer({
    mode: 'tunnel',
    virtualAddresses: [ipAddress(virtual)],
    directors: [ipAddress('192.168.0.200')],
    ports: [{ protocol: 'tcp', port: 80 }],
    encapsulations: [undefined],
  });
  return diagnoseRealServer(facts);
}
