/** The icmp check against the kernel, which answers, is told not to, or knows no way. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readSysctl, writeSysctl } from '../../../src/kernel/sysctl.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import { probeBy } from './support/configuredCheck.js';
import { assertFailed } from './support/faultMatrix.js';
import { serverAddress, serverAddress6, serverTest } from './support/serverScene.js';

const check = { type: 'icmp' };
const at = (text: string) => ({ address: ipAddress(text), port: 80 });

serverTest('the icmp check knows a host that answers from one that does not', [], async (scene) => {
  const t = scene.context;
  await t.test('a host that answers passes, over both families and in all sizes', async () => {
    assert.equal(readSysctl('net.ipv4.ping_group_range'), '1\t0');
    for (const address of [serverAddress, serverAddress6]) {
      for (const payloadBytes of [8, 56, 1024]) {
        const { reason, detail } = await probeBy({ ...check, payloadBytes }, { address, port: 80 });
        assert.equal(reason, 'passed', detail);
        assert.match(detail, /^answered in [\d.]+ ms$/);
      }
    }
  });
  await t.test('many at once each get their own answer', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => probeBy(check, { address: serverAddress, port: 80 })),
    );
    assert.ok(outcomes.every(({ reason }) => reason === 'passed'));
  });
  await t.test('a host that says nothing fails at the deadline', async () => {
    writeSysctl('net.ipv4.icmp_echo_ignore_all', 1);
    writeSysctl('net.ipv6.icmp.echo_ignore_all', 1);
    for (const address of [serverAddress, serverAddress6]) {
      assertFailed(address, await probeBy(check, { address, port: 80 }, 300), ['timeout']);
    }
    writeSysctl('net.ipv4.icmp_echo_ignore_all', 0);
    writeSysctl('net.ipv6.icmp.echo_ignore_all', 0);
  });
  await t.test('a host that there is no way to fails, and says so', async () => {
    assertFailed('no route', await probeBy(check, at('198.51.100.1')), ['network-unreachable']);
    assertFailed('no route', await probeBy(check, at('2001:db8:1::1')), ['network-unreachable']);
    execFileSync('ip', ['route', 'add', 'unreachable', '198.51.100.2']);
    assertFailed('unreachable', await probeBy(check, at('198.51.100.2')), ['host-unreachable']);
  });
});
