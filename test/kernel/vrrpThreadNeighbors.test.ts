/** Who answers for the virtual addresses, asked by a third station of the link. */
import assert from 'node:assert/strict';
import { readSysctl } from '../../src/kernel/sysctl.js';
import { encodeArp } from '../../src/wire/arp.js';
import { internetChecksum } from '../../src/wire/checksum.js';
import {
  broadcastMacAddress,
  decodeEthernetFrame,
  encodeEthernetFrame,
  etherTypeArp,
  etherTypeIpv6,
  formatMacAddress,
  ipv6MulticastMacAddress,
  virtualRouterMacAddress,
} from '../../src/wire/ethernet.js';
import { icmpv6Protocol } from '../../src/wire/icmpv6.js';
import { ipAddress, ipToBytes } from '../../src/wire/ipAddress.js';
import { encodeIpv6Packet, encodeIpv6PseudoHeader } from '../../src/wire/ipv6Header.js';
import { rootTest } from './support/rootTest.js';
import {
  eventually,
  fastRouter,
  type LabDirector,
  VrrpLab,
  virtualAddressOn,
  virtualAddressText,
} from './support/vrrpLab.js';

const asker = ipAddress('192.0.2.77');
const virtualAddress = ipAddress(virtualAddressText);
const askerIpv6 = ipAddress('fe80::77');
const virtualLinkLocal = 'fe80::100';
const virtualIpv6 = ipAddress('2001:db8::100');
/** Questions that must all be answered by the Active alone. */
const questions = 10;

const macOf = (director: LabDirector, name = 'eth0') =>
  formatMacAddress(director.netlink.link(name)?.macAddress ?? assert.fail(`no ${name}`));

function arpRequest(from: Uint8Array): Uint8Array {
  return encodeEthernetFrame({
    destination: broadcastMacAddress,
    source: from,
    etherType: etherTypeArp,
    payload: encodeArp({
      operation: 'request',
      senderMacAddress: from,
      senderAddress: asker,
      targetMacAddress: new Uint8Array(6),
      targetAddress: virtualAddress,
    }),
  });
}

/** A neighbor solicitation (RFC 4861, 4.3) to the solicited-node group of the address. */
function neighborSolicitation(from: Uint8Array): Uint8Array {
  const target = ipToBytes(virtualIpv6);
  const destination = ipAddress('ff02::1:ff00:100');
  const unsummed = Buffer.concat([
    Buffer.from([135, 0, 0, 0, 0, 0, 0, 0]),
    target,
    Uint8Array.of(1, 1),
    from,
  ]);
  const pseudoHeader = encodeIpv6PseudoHeader({
    source: askerIpv6,
    destination,
    messageLength: unsummed.length,
    nextHeader: icmpv6Protocol,
  });
  const payload = Buffer.from(unsummed);
  payload.writeUInt16BE(internetChecksum([pseudoHeader, unsummed]), 2);
  return encodeEthernetFrame({
    destination: ipv6MulticastMacAddress(destination),
    source: from,
    etherType: etherTypeIpv6,
    payload: encodeIpv6Packet({
      trafficClass: 0,
      hopLimit: 255,
      nextHeader: icmpv6Protocol,
      source: askerIpv6,
      destination,
      payload,
    }),
  });
}

/** The MAC addresses that answered. */
async function whoAnswers(...asked: Parameters<typeof answersTo>): Promise<readonly string[]> {
  return [...new Set(await answersTo(...asked))];
}

/** Asks again and again, until there are enough answers; the MAC address of each. */
async function answersTo(
  lab: VrrpLab,
  question: (from: Uint8Array) => Uint8Array,
  isAnswer: (payload: Uint8Array) => boolean,
): Promise<readonly string[]> {
  const from = Uint8Array.of(2, 0, 0, 0, 0, 0x77);
  const answers: string[] = [];
  const askerText = formatMacAddress(from);
  lab.takeFrames();
  for (let count = 1; count <= questions; count += 1) {
    lab.station.send(question(from));
    await eventually('an answer', () => {
      for (const bytes of lab.takeFrames()) {
        const frame = decodeEthernetFrame(bytes);
        if (formatMacAddress(frame.destination) !== askerText || !isAnswer(frame.payload)) continue;
        answers.push(formatMacAddress(frame.source));
      }
      return answers.length >= count;
    });
  }
  return answers;
}

const isArpReply = (payload: Uint8Array) => payload[7] === 2;
const isNeighborAdvertisement = (payload: Uint8Array) => payload[6] === 58 && payload[40] === 136;

rootTest(
  'a Backup does not answer ARP for the address after its link was down',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first, second] = lab.directors;
    const preempt = { enabled: false, delayMs: 0 };
    first.start(fastRouter({ priority: 200, preempt }));
    await first.reaches('active');
    second.start(fastRouter({ priority: 100, preempt }));
    await second.reaches('backup');
    assert.deepEqual(await whoAnswers(lab, arpRequest, isArpReply), [macOf(first)]);
    first.netlink.setLink('eth0', { up: false });
    await second.reaches('active');
    first.netlink.setLink('eth0', { up: true });
    await first.reaches('backup');
    assert.deepEqual(await whoAnswers(lab, arpRequest, isArpReply), [macOf(second)]);
    for (const up of [false, true, false, true]) first.netlink.setLink('eth0', { up });
    await first.reaches('backup');
    assert.deepEqual(await whoAnswers(lab, arpRequest, isArpReply), [macOf(second)]);
  },
);

rootTest(
  'a Backup does not answer neighbor solicitations for the address after its link was down',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first, second] = lab.directors;
    const changes = {
      preempt: { enabled: false, delayMs: 0 },
      addresses: [
        virtualAddressOn('eth0', `${virtualLinkLocal}/64`),
        virtualAddressOn('eth0', `${virtualIpv6}/64`),
      ],
    };
    first.start(fastRouter({ priority: 200, ...changes }));
    await first.reaches('active');
    second.start(fastRouter({ priority: 100, ...changes }));
    await second.reaches('backup');
    const ask = () => whoAnswers(lab, neighborSolicitation, isNeighborAdvertisement);
    assert.deepEqual(await ask(), [macOf(first)]);
    first.netlink.setLink('eth0', { up: false });
    await second.reaches('active');
    first.netlink.setLink('eth0', { up: true });
    await first.reaches('backup');
    assert.deepEqual(await ask(), [macOf(second)]);
  },
);

rootTest(
  'a macvlan that was there is used for the virtual MAC, and stays at the stop',
  async (context) => {
    const lab = new VrrpLab(context);
    const [director, other] = lab.directors;
    const name = 'vip51';
    const macAddress = virtualRouterMacAddress(4, 51);
    const parentIndex = director.netlink.link('eth0')?.index ?? 0;
    director.netlink.createMacvlan({ name, parentIndex, mode: 'bridge', macAddress, alias: '' });
    const before = director.netlink.link(name);
    const parameters = () =>
      director.namespace.run(() =>
        ['arp_ignore', 'arp_announce'].map((each) => readSysctl(`net.ipv4.conf.eth0.${each}`)),
      );
    const parametersBefore = parameters();
    const router = fastRouter({
      priority: 200,
      virtualMac: { interface: name, transmitFrom: 'virtual' },
      addresses: [virtualAddressOn(name, `${virtualAddressText}/24`)],
    });
    director.start(router);
    await director.reaches('active');
    assert.equal(director.netlink.link(name)?.index, before?.index, 'it is the same device');
    assert.ok(director.holds());
    assert.deepEqual(await whoAnswers(lab, arpRequest, isArpReply), [formatMacAddress(macAddress)]);
    // The same settings where there is no such device: it is made, and goes again.
    other.start({ ...router, priority: 100 });
    await other.reaches('backup');
    assert.ok(other.netlink.link(name) !== undefined);
    await Promise.all([director.thread.stop(), other.thread.stop()]);
    assert.equal(other.netlink.link(name), undefined, 'our own device is taken away');
    const after = director.netlink.link(name);
    assert.equal(after?.index, before?.index, 'the adopted one is left');
    assert.equal(after?.alias ?? '', '', 'without our note');
    assert.ok(!director.holds());
    assert.deepEqual(parameters(), parametersBefore);
  },
);

rootTest(
  'a Backup with a virtual MAC address answers no ARP, whatever happens to its link',
  async (context) => {
    const lab = new VrrpLab(context);
    const [first, second] = lab.directors;
    const name = 'vip51';
    const router = fastRouter({
      priority: 200,
      preempt: { enabled: false, delayMs: 0 },
      virtualMac: { interface: name, transmitFrom: 'virtual' },
      addresses: [virtualAddressOn(name, `${virtualAddressText}/24`)],
    });
    first.start(router);
    await first.reaches('active');
    second.start({ ...router, priority: 100 });
    await second.reaches('backup');
    first.netlink.setLink('eth0', { up: false });
    await second.reaches('active');
    for (const up of [true, false, true]) first.netlink.setLink('eth0', { up });
    await first.reaches('backup');
    // Both would answer with the same MAC address, so what counts is how many answers come.
    const answers = await answersTo(lab, arpRequest, isArpReply);
    assert.equal(answers.length, questions, 'one answer to each question');
    assert.deepEqual([...new Set(answers)], [formatMacAddress(virtualRouterMacAddress(4, 51))]);
    assert.equal(first.netlink.link(name)?.up, false, 'the device of the Backup stays down');
    assert.equal(second.netlink.link(name)?.up, true);
    assert.ok(second.holds() && !first.holds());
  },
);
