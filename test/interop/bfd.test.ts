/** BFD against independent judges: keepalived at the other end, and tshark on the wire. */
import assert from 'node:assert/strict';
import type { BfdSessionReport } from '../../src/bfd/protocol.js';
import type { DaemonProcess } from '../tools/daemonProcess.js';
import { startKeepalivedBfd } from '../tools/keepalivedBfd.js';
import { nodeAddresses } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { agentConfig, type TandemDirector } from '../tools/tandemDirector.js';
import { assertNoComplaints, fieldsOf, recordAt } from '../tools/tsharkJudge.js';
import { waitFor } from '../tools/waiting.js';

const settings = { priority: 200, advertIntervalMs: 1_000 };
const hexKey = Buffer.from('bfd-secret').toString('hex');

/** Our agent on lb1, with a session to lb2. */
function bfdConfig(scene: LanScene, session: string): string {
  const plain = agentConfig(scene.lan, 'lb1', settings);
  return `${plain}bfd: [{ name: pair, desiredMinTx: 50ms, requiredMinRx: 60ms${session} }]\n`;
}

/** Waits until our session is as wanted. */
async function waitForSession(
  agent: TandemDirector,
  what: string,
  isWanted: (session: BfdSessionReport) => boolean,
): Promise<BfdSessionReport> {
  const { bfd } = await agent.waitForStatus(what, ({ bfd: [session] }) => {
    return session !== undefined && isWanted(session);
  });
  const [session] = bfd;
  assert.ok(session !== undefined);
  return session;
}

/** A keepalived on lb2 that has its session with our agent. */
function startKeepalived(scene: LanScene, multiplier: number): DaemonProcess {
  return startKeepalivedBfd({
    namespace: scene.lan.namespace('lb2'),
    folder: scene.lan.folder,
    neighbour: nodeAddresses.lb1,
    source: nodeAddresses.lb2,
    multiplier,
  });
}

lanTest(
  'a session with keepalived comes up, agrees on intervals, and notices its end',
  ['keepalived'],
  async (scene) => {
    const agent = await scene.startTandem('lb1', bfdConfig(scene, ''));
    const keepalived = startKeepalived(scene, 5);
    try {
      const up = await waitForSession(agent, 'the session is up', (session) => {
        return session.state === 'up' && session.transmitIntervalUs === 70_000;
      });
      assert.equal(up.detectionTimeUs, 5 * 60_000);
      await waitFor('keepalived says so', () => /Entering UP state/i.test(keepalived.log), {
        evidence: () => keepalived.logTail,
      });
      assert.deepEqual(up.counters.rejected, {});
      await keepalived.end();
      const down = await waitForSession(agent, 'the end is noticed', ({ state }) => {
        return state === 'down';
      });
      const reasons = ['neighbour-signalled-down', 'detection-time-expired'];
      assert.ok(reasons.includes(down.diagnostic), down.diagnostic);
    } finally {
      await keepalived.end('SIGKILL');
    }
  },
);

lanTest(
  'keepalived notices a frozen agent of ours, and is up with it again',
  ['keepalived'],
  async (scene) => {
    const agent = await scene.startTandem('lb1', bfdConfig(scene, ''));
    const keepalived = startKeepalived(scene, 3);
    const says = (text: RegExp, from = 0) =>
      waitFor(`keepalived: ${text}`, () => text.test(keepalived.log.slice(from)), {
        evidence: () => keepalived.logTail,
      });
    try {
      await waitForSession(agent, 'the session is up', ({ state }) => state === 'up');
      await says(/Entering UP state/i);
      agent.signal('SIGSTOP');
      await says(/Entering DOWN state.*(time|expired)/i);
      const from = keepalived.log.length;
      agent.signal('SIGCONT');
      await says(/Entering UP state/i, from);
      await waitForSession(agent, 'the session is up again', ({ state }) => state === 'up');
    } finally {
      await keepalived.end('SIGKILL');
    }
  },
);

for (const [how, session, port] of [
  ['plain', '', 3784],
  ['authenticated', `, authentication: { key: "${hexKey}" }`, 3784],
  ['multihop', `, multihop: true, authentication: { type: sha1, key: "${hexKey}" }`, 4784],
] as const) {
  lanTest(
    `tshark decodes our packets without a complaint, ${how}`,
    ['tshark', 'tcpdump'],
    async (scene) => {
      const file = await recordAt(scene, 'lb2', 'udp', async () => {
        const lb1 = await scene.startTandem('lb1', bfdConfig(scene, session));
        const other = agentConfig(scene.lan, 'lb2', { ...settings, priority: 100 });
        const lb2 = await scene.startTandem(
          'lb2',
          `${other}bfd: [{ name: pair, desiredMinTx: 100ms${session} }]\n`,
        );
        await waitForSession(lb1, 'the session is up and fast', ({ state, transmitIntervalUs }) => {
          return state === 'up' && transmitIntervalUs === 100_000;
        });
        const { counters } = await waitForSession(lb1, 'some packets', (report) => {
          return report.counters.packetsReceived > 10;
        });
        assert.deepEqual(counters.rejected, {});
        await lb1.stop();
        await waitForSession(
          lb2,
          'the stop is told',
          ({ remote }) => remote.state === 'admin-down',
        );
      });
      const seen = await fieldsOf(file, 'bfd', [
        'bfd.version',
        'ip.ttl',
        'udp.dstport',
        'ip.checksum.status',
      ]);
      assert.ok(seen.length > 20, `${seen.length} packets`);
      for (const packet of seen) assert.deepEqual(packet, ['1', '255', String(port), '1']);
      const ports = await fieldsOf(file, `bfd && ip.src == ${nodeAddresses.lb1}`, ['udp.srcport']);
      assert.equal(new Set(ports.flat()).size, 1, 'one source port for the life of the session');
      assert.ok(Number(ports[0]?.[0]) >= 49_152);
      const states = new Set((await fieldsOf(file, 'bfd', ['bfd.sta'])).flat());
      for (const state of ['0x00', '0x01', '0x03'])
        assert.ok(states.has(state), [...states].join());
      await assertNoComplaints(file, 'bfd');
    },
  );
}
