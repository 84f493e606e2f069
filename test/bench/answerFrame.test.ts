import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEthernetFrame, etherTypeArp, etherTypeIpv4 } from '../../src/wire/ethernet.js';
import { type IpAddress, ipToBytes } from '../../src/wire/ipAddress.js';
import { nodeAddresses, virtualAddress } from '../tools/lan.js';
import { answerIn } from './answerFrame.js';
import { echoPort } from './proberProtocol.js';

const { client, lb1, lb2 } = nodeAddresses;
const bfdPort = 3784;

test('an answer is a datagram of an echo server to the client', () => {
  assert.deepEqual(answerIn(datagram(lb2, client, echoPort), 7), { atUs: 7, from: 'lb2' });
});

test('what the bridge floods to the client is no answer', () => {
  assert.equal(answerIn(datagram(lb2, lb1, bfdPort), 7), undefined, 'BFD to a cut director');
  assert.equal(answerIn(datagram(lb2, lb1, echoPort), 7), undefined);
  assert.equal(answerIn(datagram(lb2, client, bfdPort), 7), undefined);
  assert.equal(answerIn(datagram(virtualAddress, client, echoPort), 7), undefined);
  assert.equal(answerIn(datagram(lb2, client, echoPort, 6), 7), undefined, 'TCP');
  assert.equal(answerIn(datagram(lb2, client, echoPort, 17, etherTypeArp), 7), undefined);
});

function datagram(
  source: IpAddress,
  destination: IpAddress,
  sourcePort: number,
  protocol = 17,
  etherType = etherTypeIpv4,
): Uint8Array {
  const packet = new Uint8Array(36);
  packet.set([0x45, 0, 0, packet.length, 0, 0, 0, 0, 64, protocol]);
  packet.set(ipToBytes(source), 12);
  packet.set(ipToBytes(destination), 16);
  new DataView(packet.buffer).setUint16(20, sourcePort);
  const mac = new Uint8Array(6);
  return encodeEthernetFrame({ destination: mac, source: mac, etherType, payload: packet });
}
