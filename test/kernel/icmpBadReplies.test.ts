/** The icmp check against a host that answers, but not what was asked. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { openPacketSocket } from '../../src/kernel/packetSocket.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import {
  decodeEthernetFrame,
  encodeEthernetFrame,
  etherTypeIpv4,
} from '../../src/wire/ethernet.js';
import { decodeIcmpEcho, encodeIcmpEcho, type IcmpEcho } from '../../src/wire/icmp.js';
import { type IpAddress, ipAddress } from '../../src/wire/ipAddress.js';
import { decodeIpv4Packet, encodeIpv4Packet } from '../../src/wire/ipv4Header.js';
import { probeOnce } from '../unit/health/support/servers.js';
import { rootTest } from './support/rootTest.js';
import { type VethEnd, vethPair } from './support/vethPair.js';

const icmpProtocol = 1;
const spec = { type: 'icmp', payloadBytes: 56 } as const;

/** What the host makes of the answer that it should give. */
interface Answer {
  readonly source: IpAddress;
  readonly message: Uint8Array;
}

type Distort = (echo: IcmpEcho, right: Answer) => Answer;

const changed = (echo: IcmpEcho, changes: Partial<IcmpEcho>): Uint8Array =>
  encodeIcmpEcho({ ...echo, kind: 'reply', ...changes });

const distortions: readonly (readonly [string, Distort])[] = [
  [
    'another identifier',
    (echo, right) => ({
      ...right,
      message: changed(echo, { identifier: (echo.identifier + 1) & 0xffff }),
    }),
  ],
  [
    'another payload',
    (echo, right) => {
      const payload = Uint8Array.from(echo.payload, (byte, index) => (index === 7 ? ~byte : byte));
      return { ...right, message: changed(echo, { payload }) };
    },
  ],
  [
    'a part of the payload',
    (echo, right) => ({ ...right, message: changed(echo, { payload: echo.payload.slice(0, -1) }) }),
  ],
  [
    'no payload',
    (echo, right) => ({ ...right, message: changed(echo, { payload: Uint8Array.of() }) }),
  ],
  [
    'more than the payload',
    (echo, right) => ({
      ...right,
      message: changed(echo, { payload: Uint8Array.of(...echo.payload, 0) }),
    }),
  ],
  ['half a header', (_echo, right) => ({ ...right, message: right.message.slice(0, 4) })],
  [
    'a wrong checksum',
    (_echo, right) => {
      const message = right.message.slice();
      message[2] = (message[2] ?? 0) ^ 0x55;
      return { ...right, message };
    },
  ],
  [
    'the request itself',
    (echo, right) => ({ ...right, message: changed(echo, { kind: 'request' }) }),
  ],
  [
    'the right words from another host',
    (_echo, right) => ({ ...right, source: ipAddress('192.0.2.3') }),
  ],
];

rootTest('an echo that is not the one that was asked for does not pass', async (context) => {
  const { left, right } = vethPair(context);
  right.namespace.run(() => writeSysctl('net.ipv4.icmp_echo_ignore_all', 1));
  // The file is a process of its own, which stays in here; its probes start here too.
  left.namespace.enter();
  const target = { address: right.address, port: 0 };
  for (const [what, distort] of distortions) {
    await context.test(`${what} is no answer`, async (t) => {
      const host = answeringHost(t, right, (echo, answer) => [distort(echo, answer)]);
      const outcome = await probeOnce(target, spec, 300);
      assert.deepEqual([outcome.result, outcome.reason], ['failed', 'timeout']);
      assert.ok(host.answers > 0, 'the host has answered');
    });
    await context.test(`the answer passes although ${what} came before`, async (t) => {
      answeringHost(t, right, (echo, answer) => [distort(echo, answer), answer]);
      const outcome = await probeOnce(target, spec);
      assert.equal(outcome.reason, 'passed', outcome.detail);
    });
  }
});

/** Answers echo requests in place of the kernel of one end. */
function answeringHost(
  context: TestContext,
  end: VethEnd,
  answersTo: (echo: IcmpEcho, right: Answer) => readonly Answer[],
): { readonly answers: number } {
  const options = { etherType: etherTypeIpv4, receive: true, interfaceIndex: end.interfaceIndex };
  const socket = end.namespace.run(() => openPacketSocket(options));
  const seen = { answers: 0 };
  const look = (): void => {
    for (let frame = socket.receive(); frame !== undefined; frame = socket.receive()) {
      const { source: station, destination, payload: bytes } = decodeEthernetFrame(frame.bytes);
      const packet = decodeIpv4Packet(bytes);
      if (packet.protocol !== icmpProtocol || packet.destination !== end.address) continue;
      const echo = decodeIcmpEcho(packet.payload);
      if (echo.kind !== 'request') continue;
      const right = { source: end.address, message: changed(echo, {}) };
      for (const { source, message } of answersTo(echo, right)) {
        const payload = encodeIpv4Packet({
          source,
          destination: packet.source,
          protocol: icmpProtocol,
          timeToLive: 64,
          unfragmented: false,
          payload: message,
        });
        const addresses = { source: destination, destination: station };
        socket.send(encodeEthernetFrame({ ...addresses, etherType: etherTypeIpv4, payload }));
        seen.answers += 1;
      }
    }
  };
  const timer = setInterval(look, 2);
  context.after(() => {
    clearInterval(timer);
    socket.close();
  });
  return seen;
}
