import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DaemonProcess } from '../tools/daemonProcess.js';
import { nodeAddresses, virtualAddress } from '../tools/lan.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority } from '../tools/startDirector.js';
import { agentConfig } from '../tools/tandemDirector.js';
import { waitFor } from '../tools/waiting.js';

const decodeTimeoutMs = 60_000;
const advertIntervalMs = 100;
const settings = { priority: highPriority, advertIntervalMs };

/** tshark's word for a checksum that is right (epan/proto.h, PROTO_CHECKSUM_E_GOOD). */
const checksumGood = '1';
/** Severities that tshark gives to what is wrong (epan/proto.h, PI_WARN). */
const severityWarning = 0x00600000;

lanTest(
  'tshark decodes our adverts and gratuitous ARPs without a complaint',
  ['tshark', 'tcpdump'],
  async (scene) => {
    const file = await captureOfALife(scene, agentConfig(scene.lan, 'lb1', settings));
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
    const file = await captureOfALife(scene, config);
    const statuses = (await fieldsOf(file, 'vrrp', ['vrrp.checksum.status'])).flat();
    assert.ok(statuses.length > 3, 'there are adverts');
    assert.ok(!statuses.includes(checksumGood), 'tshark expects the pseudo-header');
  },
);

/** Captures at the client what an agent sends from its start to its polite end. */
async function captureOfALife(scene: LanScene, config: string): Promise<string> {
  const file = join(scene.lan.folder, 'capture.pcap');
  const tcpdump = new DaemonProcess({
    namespace: scene.lan.namespace('client'),
    command: 'tcpdump',
    args: ['-i', 'eth0', '--immediate-mode', '-U', '-Z', 'root', '-w', file, 'vrrp or arp'],
    logPath: join(scene.lan.folder, 'tcpdump.log'),
  });
  try {
    await tcpdump.waitUntil('tcpdump listens', () => tcpdump.log.includes('listening on'));
    const agent = await scene.startTandem('lb1', config);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    await agent.stop();
    await waitFor('the resignation', () => scene.advertsOf('lb1').at(-1)?.priority === 0);
  } finally {
    await tcpdump.end('SIGINT');
  }
  return file;
}

async function fieldsOf(
  file: string,
  filter: string,
  fields: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const text = await tshark(
    file,
    '-Y',
    filter,
    '-T',
    'fields',
    ...fields.flatMap((f) => ['-e', f]),
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Nothing malformed, and no expert information from a warning upwards, in the whole capture. */
async function assertNoComplaints(file: string): Promise<void> {
  const complaints = await fieldsOf(file, `_ws.expert.severity >= ${severityWarning}`, [
    'frame.number',
    '_ws.expert.message',
  ]);
  assert.deepEqual(complaints, []);
  assert.deepEqual(await fieldsOf(file, '_ws.malformed', ['frame.number']), []);
  const text = await tshark(file, '-V');
  assert.doesNotMatch(text, /malformed|incorrect|bad checksum|\[Expert Info \((Warning|Error)/i);
}

/** IP checksums are looked at only when asked for, since network cards often fill them in. */
async function tshark(file: string, ...args: readonly string[]): Promise<string> {
  const options = { timeout: decodeTimeoutMs, maxBuffer: 64 * 1024 * 1024 };
  const preferences = ['-o', 'ip.check_checksum:TRUE'];
  const { stdout } = await promisify(execFile)(
    'tshark',
    ['-r', file, ...preferences, ...args],
    options,
  );
  return stdout;
}
