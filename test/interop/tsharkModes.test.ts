/** tshark reads everything that we send in every way in which an election can be held. */
import assert from 'node:assert/strict';
import { resignPriority } from '../../src/wire/vrrp.js';
import type { ElectionMode } from '../tools/directorDaemon.js';
import { type LanScene, lanTest } from '../tools/lanTest.js';
import { highPriority } from '../tools/startDirector.js';
import { agentConfig } from '../tools/tandemDirector.js';
import { assertNoComplaints, fieldsOf, recordAt } from '../tools/tsharkJudge.js';
import { waitFor } from '../tools/waiting.js';

/** tshark's words for a checksum that is right, and one that is not (epan/proto.h). */
const checksum = { bad: '0', good: '1' } as const;
/** The idle peer answers unicast with ICMPv6 errors, which quote our adverts. */
const ours = 'vrrp && !icmpv6';
const filter = 'ip proto 112 or ip6 proto 112 or arp or icmp6';

interface Case {
  readonly title: string;
  readonly mode: ElectionMode;
  /** More keys of the virtual router. */
  readonly keys?: string;
  readonly advertIntervalMs?: number;
  readonly macAddress?: string;
  /**
   * The trailer is not in any RFC. tshark takes the checksum of IPv4 over all that is there, and
   * the form of keepalived covers the message only.
   */
  readonly checksum?: (typeof checksum)[keyof typeof checksum];
}

const hmac = `hmac: { keys: [{ id: 1, hex: "${'a5'.repeat(32)}" }] }`;

const cases: readonly Case[] = [
  { title: 'version 2', mode: { version: 2 }, advertIntervalMs: 1_000 },
  {
    title: 'version 2 with a password',
    mode: { version: 2, password: 's3cret' },
    advertIntervalMs: 1_000,
  },
  { title: 'version 3, IPv6', mode: { family: 6 } },
  { title: 'unicast, IPv4', mode: { unicast: true } },
  { title: 'unicast, IPv6', mode: { unicast: true, family: 6 } },
  { title: 'virtual MAC, IPv4', mode: { virtualMac: true }, macAddress: '00:00:5e:00:01:33' },
  {
    title: 'virtual MAC, IPv6',
    mode: { virtualMac: true, family: 6 },
    macAddress: '00:00:5e:00:02:33',
  },
  { title: 'HMAC trailer, IPv4', mode: {}, keys: hmac, checksum: checksum.bad },
  { title: 'HMAC trailer, IPv6', mode: { family: 6 }, keys: hmac },
];

for (const each of cases) {
  const { title, mode } = each;
  lanTest(
    `tshark decodes what we send without a complaint: ${title}`,
    ['tshark', 'tcpdump'],
    (scene) => judge(scene, each),
    mode.family,
  );
}

async function judge(
  scene: LanScene,
  { mode, keys, advertIntervalMs = 100, macAddress, checksum: status = checksum.good }: Case,
): Promise<void> {
  const { version = 3, family = 4 } = mode;
  const ownMacAddress = macAddress ?? scene.lan.macAddress('lb1');
  const plain = agentConfig(scene.lan, 'lb1', {
    ...mode,
    priority: highPriority,
    advertIntervalMs,
  });
  const config =
    keys === undefined ? plain : plain.replace('    priority:', `    ${keys}\n    priority:`);
  const file = await recordAt(scene, 'lb2', filter, async () => {
    const agent = await scene.startTandem('lb1', config);
    await scene.waitForHolder('lb1');
    await scene.staysWith('lb1', advertIntervalMs);
    await scene.firstAnnouncementAfter('lb1', 0, ownMacAddress);
    await agent.stop();
    await waitFor('the resignation', () => {
      return scene.advertsOf('lb1').at(-1)?.priority === resignPriority;
    });
  });
  const adverts = await fieldsOf(file, ours, [
    'vrrp.version',
    'vrrp.virt_rtr_id',
    'vrrp.checksum.status',
    'eth.src',
    family === 4 ? 'ip.ttl' : 'ipv6.hlim',
  ]);
  assert.ok(adverts.length > 3, 'there are adverts');
  const expected = [String(version), '51', status, ownMacAddress, '255'];
  for (const advert of adverts) assert.deepEqual(advert, expected);
  const priorities = (await fieldsOf(file, ours, ['vrrp.prio'])).flat();
  assert.equal(priorities[0], String(highPriority));
  assert.equal(priorities.at(-1), String(resignPriority), 'the last advert resigns');
  await (family === 4 ? assertArp : assertNeighborAdvertisements)(file, ownMacAddress);
  if (mode.password !== undefined) {
    const types = (await fieldsOf(file, ours, ['vrrp.auth_type'])).flat();
    assert.ok(
      types.every((type) => type === '1'),
      types.join(),
    );
  }
  if (status === checksum.good) await assertNoComplaints(file);
  else assert.deepEqual(await fieldsOf(file, '_ws.malformed', ['frame.number']), []);
}

async function assertArp(file: string, macAddress: string): Promise<void> {
  const seen = await fieldsOf(file, 'arp.isgratuitous == 1', ['arp.src.hw_mac', 'eth.src']);
  assert.ok(seen.length >= 5, `${seen.length} gratuitous ARPs`);
  for (const announcement of seen) assert.deepEqual(announcement, [macAddress, macAddress]);
}

/** Of the link-local and the global address alike, for everybody, and not to be doubted. */
async function assertNeighborAdvertisements(file: string, macAddress: string): Promise<void> {
  const unsolicited = 'icmpv6.type == 136 && ipv6.dst == ff02::1 && icmpv6.nd.na.target_address';
  for (const address of ['fe80::100', '2001:db8::100']) {
    const seen = await fieldsOf(file, `${unsolicited} == ${address}`, [
      'ipv6.src',
      'ipv6.hlim',
      'icmpv6.checksum.status',
      'icmpv6.nd.na.flag.s',
      'icmpv6.nd.na.flag.o',
      'icmpv6.opt.linkaddr',
    ]);
    assert.ok(seen.length >= 5, `${seen.length} neighbor advertisements of ${address}`);
    const expected = [address, '255', checksum.good, '0', '1', macAddress];
    for (const announcement of seen) assert.deepEqual(announcement, expected);
  }
}
