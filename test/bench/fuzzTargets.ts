/**
 * Everything that receives packets, up to and including what it keeps of them: the validation, the
 * election that hears what was accepted, the statistics and the memory of faulty peers.
 */

import type { BfdSessionSpec } from '../../src/bfd/protocol.js';
import { emptySessionTable, runSessions } from '../../src/bfd/sessionTable.js';
import { interpretFrame } from '../../src/drill/capture.js';
import { Authenticator } from '../../src/vrrp/authenticator.js';
import { emptyElection, noInputs, runTurn } from '../../src/vrrp/election.js';
import {
  outgoingAdvertisements,
  type TrailerSigner,
} from '../../src/vrrp/outgoingAdvertisements.js';
import { PeerFaults } from '../../src/vrrp/peerFaults.js';
import type { HmacSpec, UnicastSpec, VirtualRouterSpec } from '../../src/vrrp/protocol.js';
import { routerExpectation } from '../../src/vrrp/receiveExpectation.js';
import { planReconfiguration, wireKey } from '../../src/vrrp/reconfiguration.js';
import { RouterStatistics } from '../../src/vrrp/routerStatistics.js';
import { senderKey } from '../../src/vrrp/virtualRouter.js';
import { encodeGratuitousArp } from '../../src/wire/arp.js';
import { type BfdControlPacket, encodeBfdHeader } from '../../src/wire/bfd.js';
import { type BfdKey, encodeAuthenticatedBfd } from '../../src/wire/bfdAuthentication.js';
import {
  decodeEthernetFrame,
  encodeEthernetFrame,
  etherTypeIpv4,
} from '../../src/wire/ethernet.js';
import {
  type IpAddress,
  ipAddress,
  ipFromBytes,
  ipToBytes,
  parseIpPrefix,
} from '../../src/wire/ipAddress.js';
import { ipv4Layout } from '../../src/wire/ipv4Header.js';
import { decodeIpv6Packet, encodeIpv6Packet, ipv6Layout } from '../../src/wire/ipv6Header.js';
import {
  decodeUnsolicitedNeighborAdvertisement,
  encodeUnsolicitedNeighborAdvertisement,
} from '../../src/wire/ndp.js';
import {
  advertisementLength,
  vrrpChecksumOffset,
  vrrpProtocol,
  vrrpTimeToLive,
  withChecksum,
} from '../../src/wire/vrrp.js';
import { receiveAdvertisement } from '../../src/wire/vrrpReceive.js';
import { WireError } from '../../src/wire/wireError.js';
import type { ReceiveTarget } from './fuzzer.js';
import { syncTargets } from './fuzzSyncTargets.js';

const macAddress = Uint8Array.of(0x02, 0, 0, 0, 0, 1);
const startUnixMs = 1_700_000_000_000;
/** Time between two packets: timers of the machines run out in between now and then. */
const packetGapUs = 50_000;

/** All receivers, each with memory of its own. */
export function receiveTargets(): readonly ReceiveTarget[] {
  const ipv4 = routerSpec(['192.0.2.100/24', '192.0.2.101/24']);
  const ipv6 = routerSpec(['fe80::100/64', '2001:db8::100/64']);
  const hmac: HmacSpec = {
    // The keys themselves are given to the authenticators.
    keys: [],
    sendKeyId: 1,
    mode: 'enforce',
    antiReplay: 'monotonic',
    windowSeconds: 5,
  };
  const unicast: UnicastSpec = { peers: [ipAddress('192.0.2.1')], ttlMax: 255 };
  return [
    vrrpTarget('VRRP 2', { ...ipv4, version: 2 }),
    vrrpTarget('VRRP 2, password', { ...ipv4, version: 2, password: 'secret' }),
    vrrpTarget('VRRP 3, IPv4', ipv4),
    vrrpTarget('VRRP 3, IPv4, unicast', { ...ipv4, unicast }),
    vrrpTarget('VRRP 3, IPv4, HMAC', { ...ipv4, hmac }),
    vrrpTarget('VRRP 3, IPv6', ipv6),
    vrrpTarget('VRRP 3, IPv6, HMAC', { ...ipv6, hmac }),
    bfdTarget('BFD', undefined),
    bfdTarget('BFD, meticulous SHA1', { type: 'meticulous-sha1', keyId: 1, key: macAddress }),
    frameTarget(),
    neighborTarget(),
    ...syncTargets(),
  ];
}

function routerSpec(prefixes: readonly string[]): VirtualRouterSpec {
  return {
    name: 'fuzzed',
    vrid: 51,
    interface: 'eth0',
    priority: 100,
    advertIntervalCs: 100,
    preempt: { enabled: true, delayMs: 0 },
    addresses: prefixes.map((text) => {
      const prefix = parseIpPrefix(text);
      if (prefix === undefined) throw new Error(`not a prefix: ${text}`);
      return { prefix, interface: 'eth0' };
    }),
    checksum: 'pseudo-header',
    announcements: { repeat: 1, delayMs: 0, refreshMs: 0 },
  };
}

/** A router of priority 100 that hears the packets of its peer, whose priority is 200. */
function vrrpTarget(name: string, spec: VirtualRouterSpec): ReceiveTarget {
  const isIpv6 = spec.addresses[0]?.prefix.address.includes(':') === true;
  const peer = ipAddress(isIpv6 ? 'fe80::1' : '192.0.2.1');
  const ownAddress = ipAddress(isIpv6 ? 'fe80::2' : '192.0.2.2');
  const authenticator = (): Authenticator | undefined =>
    spec.hmac === undefined
      ? undefined
      : new Authenticator({ ...spec, hmac: spec.hmac }, [
          { id: 1, key: new Uint8Array(32).fill(7) },
        ]);
  const sender = authenticator();
  let signed = 0;
  const sign = (message: Uint8Array, from: IpAddress): Uint8Array | undefined => {
    signed += 1;
    return sender?.sign(message, from, startUnixMs + signed);
  };
  // Sequences grow, so that many a packet of the list is not a repetition yet.
  const packets = Array.from({ length: 64 }, (_, index) => {
    const [message] = outgoingAdvertisements(
      { ...spec, priority: 200, ...unicastTo(spec, ownAddress) },
      index % 8 === 0 ? 0 : 200,
      peer,
      sign,
    );
    if (message === undefined) throw new Error(`no advertisement for ${name}`);
    return ipPacket(peer, message.destination, vrrpProtocol, message.message);
  });
  return {
    name,
    packets,
    receive: new VrrpListener(spec, ownAddress, authenticator()).receive,
    mend: (packet) => mended(packet, spec, sign),
  };
}

function unicastTo({ unicast }: VirtualRouterSpec, to: IpAddress): Partial<VirtualRouterSpec> {
  return unicast === undefined ? {} : { unicast: { ...unicast, peers: [to] } };
}

/** What the vrrp thread does with a packet, without the socket. */
class VrrpListener {
  readonly #spec: VirtualRouterSpec;
  readonly #ownAddress: IpAddress;
  readonly #authenticator: Authenticator | undefined;
  readonly #statistics = new RouterStatistics(startUnixMs);
  readonly #faults = new PeerFaults();
  #election = emptyElection;
  #nowUs = 0;

  constructor(
    spec: VirtualRouterSpec,
    ownAddress: IpAddress,
    authenticator: Authenticator | undefined,
  ) {
    this.#spec = spec;
    this.#ownAddress = ownAddress;
    this.#authenticator = authenticator;
    const plan = planReconfiguration([], { routers: [spec], syncGroups: [] });
    const addresses = new Map([[senderKey(spec), ownAddress]]);
    this.#turn([], [{ type: 'reconfigure', plan, addresses }]);
  }

  readonly receive = (packet: Uint8Array): string | undefined => {
    this.#nowUs += packetGapUs;
    const clock = { unixMs: startUnixMs, monotonicUs: this.#nowUs };
    const spec = this.#spec;
    const hmac = this.#authenticator?.verifier;
    const circumstances = {
      ownAddress: this.#ownAddress,
      isOnLink: () => true,
      ...(hmac === undefined ? {} : { hmac }),
    };
    const received = receiveAdvertisement(packet, {
      routerOf: (_, vrid) =>
        vrid === spec.vrid ? routerExpectation(spec, circumstances) : undefined,
      clock,
    });
    if (!received.accepted) {
      const { reason, source = null } = received;
      this.#statistics.rejected(reason);
      this.#statistics.keepRejected({ reason, source, packet, atUnixMs: startUnixMs });
      this.#faults.isNews(`${source}`, reason, this.#nowUs);
      this.#turn([], []);
      return reason;
    }
    const { source, family, advertisement, verified } = received;
    this.#statistics.received([]);
    this.#faults.recovered(`${source}`);
    if (verified !== undefined) this.#authenticator?.accept(source, verified, this.#nowUs);
    const router = wireKey('eth0', family, advertisement.vrid);
    this.#turn([{ router, source, advertisement, receivedUs: this.#nowUs }], []);
    return undefined;
  };

  #turn(
    advertisements: Parameters<typeof runTurn>[1]['advertisements'],
    commands: Parameters<typeof runTurn>[1]['commands'],
  ): void {
    const inputs = { ...noInputs, advertisements, commands };
    this.#election = runTurn(this.#election, inputs, this.#nowUs).state;
  }
}

/** A session that is configured, and all that its peer could say. */
function bfdTarget(name: string, authentication: BfdKey | undefined): ReceiveTarget {
  const peer = ipAddress('192.0.2.1');
  const spec: BfdSessionSpec = {
    name: 'fuzzed',
    peer,
    interface: 'eth0',
    multihop: false,
    enabled: true,
    desiredMinTxUs: 50_000,
    requiredMinRxUs: 50_000,
    detectMultiplier: 3,
    ...(authentication === undefined ? {} : { authentication }),
  };
  let nowUs = 0;
  const moment = () => ({ nowUs, random: () => 0.5 });
  const isUsable = () => true;
  let { table } = runSessions(
    emptySessionTable,
    { datagrams: [], specs: [spec], isUsable },
    moment(),
  );
  const discriminator = [...table.sessions.values()][0]?.localDiscriminator ?? 1;
  const packets = (['down', 'init', 'up', 'admin-down'] as const).flatMap((state) =>
    [0, discriminator].map((yourDiscriminator, index) => {
      const packet: BfdControlPacket = {
        diagnostic: 'none',
        state,
        poll: false,
        final: false,
        controlPlaneIndependent: false,
        demand: false,
        detectMultiplier: 3,
        myDiscriminator: 9,
        yourDiscriminator,
        desiredMinTxUs: 50_000,
        requiredMinRxUs: 50_000,
        requiredMinEchoRxUs: 0,
      };
      if (authentication === undefined) return encodeBfdHeader(packet);
      return encodeAuthenticatedBfd(packet, authentication, 1 + index);
    }),
  );
  return {
    name,
    packets,
    receive: (bytes) => {
      nowUs += packetGapUs;
      const datagram = { bytes, timeToLive: 255, source: peer, multihop: false };
      const datagrams = [{ ...datagram, interface: 'eth0', receivedUs: nowUs }];
      const turn = runSessions(table, { datagrams, isUsable }, moment());
      table = turn.table;
      return turn.effects.rejected[0]?.reason;
    },
  };
}

/** Frames as drills and tests capture them: gratuitous ARP and VRRP advertisements. */
function frameTarget(): ReceiveTarget {
  const address = ipAddress('192.0.2.100');
  const advertisement = ipPacket(
    ipAddress('192.0.2.1'),
    ipAddress('224.0.0.18'),
    vrrpProtocol,
    Uint8Array.of(0x31, 51, 200, 1, 0, 100, 0, 0, 192, 0, 2, 100),
  );
  return {
    name: 'captured frames, ARP',
    packets: [
      encodeGratuitousArp(address, macAddress, 'request-broadcast'),
      encodeGratuitousArp(address, macAddress, 'reply'),
      encodeEthernetFrame({
        destination: macAddress,
        source: macAddress,
        etherType: etherTypeIpv4,
        payload: advertisement,
      }),
    ],
    receive: (bytes) => (interpretFrame(bytes, 0) === undefined ? 'not ours' : undefined),
  };
}

/** Its decoder says by a WireError that a packet is none; nothing else may be thrown. */
function neighborTarget(): ReceiveTarget {
  const address = ipAddress('2001:db8::100');
  const frame = encodeUnsolicitedNeighborAdvertisement({ address, macAddress, router: true });
  return {
    name: 'neighbour advertisement',
    packets: [decodeEthernetFrame(frame).payload],
    receive: (bytes) => {
      try {
        decodeUnsolicitedNeighborAdvertisement(decodeIpv6Packet(bytes));
        return undefined;
      } catch (error) {
        if (error instanceof WireError) return error.reason;
        throw error;
      }
    },
  };
}

function ipPacket(
  source: IpAddress,
  destination: IpAddress,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  if (source.includes(':')) {
    const common = { trafficClass: 0, hopLimit: vrrpTimeToLive, nextHeader: protocol };
    return encodeIpv6Packet({ ...common, source, destination, payload });
  }
  const header = ipv4Layout.encode({
    version: 4,
    headerWords: 5,
    typeOfService: 0,
    totalLength: ipv4Layout.byteLength + payload.length,
    identification: 0,
    flags: 0,
    fragmentOffset: 0,
    timeToLive: vrrpTimeToLive,
    protocol,
    headerChecksum: 0,
    source: ipToBytes(source),
    destination: ipToBytes(destination),
  });
  return Uint8Array.of(...header, ...payload);
}

/**
 * The same packet with a new trailer, if its sender signs, and the checksum that belongs to all of
 * it, so that later checks are reached; what is no message any more stays as it is.
 */
function mended(packet: Uint8Array, spec: VirtualRouterSpec, sign: TrailerSigner): Uint8Array {
  const isIpv6 = (packet[0] ?? 0) >> 4 === 6;
  const at = isIpv6 ? ipv6Layout.byteLength : ipv4Layout.byteLength;
  const ends = isIpv6 ? ipv6Layout.byteLength - 16 : ipv4Layout.byteLength - 4;
  const length = advertisementLength(
    { version: (packet[at] ?? 0) >> 4, addressCount: packet[at + 3] ?? 0 },
    isIpv6 ? 6 : 4,
  );
  if (packet.length < at + length) return packet;
  const message = packet.slice(at, at + length);
  message.fill(0, vrrpChecksumOffset, vrrpChecksumOffset + 2);
  const destination = ipFromBytes(packet.slice(ends, at));
  const source = ipFromBytes(packet.slice(2 * ends - at, ends));
  const { version = 3, checksum } = spec;
  const path = { source, destination };
  const payload = withChecksum(message, path, { version, checksum }, sign(message, source));
  return Uint8Array.of(...packet.subarray(0, at), ...payload);
}
