import assert from 'node:assert/strict';
import { nodeAddresses, virtualAddress } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority } from '../tools/startDirector.js';
import { agentConfig } from '../tools/tandemDirector.js';
import { assertNoComplaints, fieldsOf, recordAt } from '../tools/tsharkJudge.js';
import { waitFor } from '../tools/waiting.js';

const advertIntervalMs = 100;
const settings = { priority: highPriority, advertIntervalMs };

/** tshark's word for a checksum that is right (epan/proto.h, PROTO_CHECKSUM_E_GOOD). */
const checksumGood = '1';

lanTest(
  'tshark decodes our adverts and gratuitous ARPs without a complaint',
  ['tshark', 'tcpdump'],
  async (scene) => {
    const file = await recordOfALife(scene, agentConfig(scene.lan, 'lb1', settings));
    const adverts = await fieldsOf(file, 'vrrp', [
      'vrrp.version',
      'vrrp.type',
      'vrrp.virt_rtr_id',
      'vrrp.short_adver_int',
      'vrrp.ip_addr',
      'vrrp.checksum.status',
      'ip.src',
      'ip.dst',
      'ip.ttl',
      'ip.checksum.status',
      'eth.dst',
    ]);
    assert.ok(adverts.length > 3, 'there are adverts');
    const fixed = ['3', '1', '51', '10', virtualAddress, checksumGood];
    const header = [nodeAddresses.lb1, '224.0.0.18', '255', checksumGood, '01:00:5e:00:00:12'];
    for (const advert of adverts) assert.deepEqual(advert, [...fixed, ...header]);
    const priorities = (await fieldsOf(file, 'vrrp', ['vrrp.prio'])).flat();
    assert.equal(priorities[0], String(highPriority));
    assert.equal(priorities.at(-1), '0', 'the last advert resigns');

    const announcements = await fieldsOf(file, 'arp.isgratuitous == 1', [
      'arp.opcode',
      'arp.src.proto_ipv4',
      'arp.dst.proto_ipv4',
      'arp.src.hw_mac',
      'eth.dst',
    ]);
    assert.ok(announcements.length >= 5, 'there are gratuitous ARPs');
    const macAddress = scene.lan.macAddress('lb1');
    for (const announcement of announcements) {
      const expected = ['1', virtualAddress, virtualAddress, macAddress, 'ff:ff:ff:ff:ff:ff'];
      assert.deepEqual(announcement, expected);
    }
    await assertNoComplaints(file);
  },
);

lanTest(
  'tshark reports the plain checksum of RFC 9568, so that the check above can fail',
  ['tshark', 'tcpdump'],
  async (scene) => {
    const config = agentConfig(scene.lan, 'lb1', settings).replace(
      '    priority:',
      '    checksum: plain\n    priority:',
    );
    const file = await recordOfALife(scene, config);
    const statuses = (await fieldsOf(file, 'vrrp', ['vrrp.checksum.status'])).flat();
    assert.ok(statuses.length > 3, 'there are adverts');
    assert.ok(!statuses.includes(checksumGood), 'tshark expects the pseudo-header');
  },
);

/** Records at the client what an agent sends from its start to its polite end. */
function recordOfALife(scene: LanScene, config: string): Promise<string> {
  return recordAt(scene, 'client', 'vrrp or arp', async () => {
    const agent = await scene.startTandem('lb1', config);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    await agent.stop();
    await waitFor('the resignation', () => scene.advertsOf('lb1').at(-1)?.priority === 0);
  });
}
