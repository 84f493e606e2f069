import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  decodeDaemonMessage,
  decodeInfoMessage,
  decodeServerMessage,
  decodeServiceMessage,
  decodeTimeoutsMessage,
  encodeDaemonStart,
  encodeOperation,
  encodeTimeouts,
} from '../../../src/wire/ipvs.js';
import { commandAttributes } from '../../../src/wire/ipvsAttributes.js';
import type { IpvsServer, IpvsService } from '../../../src/wire/ipvsModel.js';
import { noStatistics } from '../../../src/wire/ipvsStatistics.js';
import {
  type AttributeValues,
  decodeAttributes,
  encodeAttributes,
} from '../../../src/wire/netlinkAttributes.js';
import { WireError } from '../../../src/wire/wireError.js';
import { anyDaemon, anyFamily, anyIdentity, anyServer, anyService } from './ipvsArbitraries.js';

test('every service that is written reads back the same', () => {
  fc.assert(
    fc.property(anyService, (service) => {
      const { payload } = encodeOperation({ kind: 'add-service', service });
      assert.deepEqual(decodeServiceMessage(payload), { ...service, statistics: noStatistics });
    }),
  );
});

test('every server that is written reads back the same', () => {
  fc.assert(
    fc.property(anyIdentity, anyServer, anyFamily, (service, server, family) => {
      const { payload } = encodeOperation({ kind: 'edit-server', service, server });
      assert.deepEqual(decodeServerMessage(payload, family), {
        ...server,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
        statistics: noStatistics,
      });
    }),
  );
});

test('every daemon that is written reads back the same', () => {
  fc.assert(
    fc.property(anyDaemon, (daemon) => {
      assert.deepEqual(decodeDaemonMessage(encodeDaemonStart(daemon).payload), daemon);
    }),
  );
});

test('timeouts that are written read back the same', () => {
  const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(seconds, seconds, seconds, (tcpSeconds, tcpFinSeconds, udpSeconds) => {
      const timeouts = { tcpSeconds, tcpFinSeconds, udpSeconds };
      assert.deepEqual(decodeTimeoutsMessage(encodeTimeouts(timeouts).payload), timeouts);
    }),
  );
});

test('random bytes are read or refused with WireError by every decoder', () => {
  const decoders: readonly ((bytes: Uint8Array) => unknown)[] = [
    decodeServiceMessage,
    (bytes) => decodeServerMessage(bytes, 4),
    (bytes) => decodeServerMessage(bytes, 6),
    decodeDaemonMessage,
    decodeInfoMessage,
    decodeTimeoutsMessage,
  ];
  // Whole random messages seldom get far, so single bytes of sound ones are spoiled as well.
  const spoiled = fc
    .tuple(
      fc.oneof(
        anyService.map((service) => encodeOperation({ kind: 'add-service', service }).payload),
        fc
          .tuple(anyIdentity, anyServer)
          .map(
            ([service, server]) => encodeOperation({ kind: 'add-server', service, server }).payload,
          ),
        anyDaemon.map((daemon) => encodeDaemonStart(daemon).payload),
      ),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(),
    )
    .map(([payload, spoils, cut]) => {
      const bytes = payload.slice(0, payload.length - (cut % 8));
      for (const [position, value] of spoils) bytes[position % bytes.length] = value;
      return bytes;
    });
  fc.assert(
    fc.property(
      fc.oneof(fc.uint8Array({ maxLength: 300 }), spoiled),
      fc.constantFrom(...decoders),
      (bytes, decode) => {
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test('64-bit counters are read where the kernel sends them, 32-bit ones where it does not', () => {
  const counters = {
    connections: 1n << 40n,
    incomingPackets: 2n,
    outgoingPackets: 3n,
    incomingBytes: 4n,
    outgoingBytes: 5n,
    connectionsPerSecond: 6n,
    incomingPacketsPerSecond: 7n,
    outgoingPacketsPerSecond: 8n,
    incomingBytesPerSecond: 9n,
    outgoingBytesPerSecond: 10n,
  };
  const narrow = { connections: 11, incomingBytes: 1n << 50n, outgoingBytesPerSecond: 12 };
  const both = decodeServiceMessage(
    spoil(service(), { statistics: narrow, statistics64: counters }),
  );
  assert.deepEqual(both.statistics, counters);
  const old = decodeServiceMessage(spoil(service(), { statistics: narrow }));
  assert.deepEqual(old.statistics, {
    ...noStatistics,
    connections: 11n,
    incomingBytes: 1n << 50n,
    outgoingBytesPerSecond: 12n,
  });
});

test('what the model has no words for is refused, not misread', () => {
  const refused: readonly Partial<ServiceValues>[] = [
    { protocol: 1 },
    { addressFamily: 1 },
    { address: new Uint8Array(3) },
    { flags: { flags: 1, mask: 0 }, netmask: Uint8Array.of(255, 0) },
  ];
  for (const change of refused) {
    assert.throws(() => decodeServiceMessage(spoil(service(), change)), WireError);
  }
});

test('a firewall mark service is known by its mark even if address and port come along', () => {
  assert.deepEqual(decodeServiceMessage(spoil(service(), { fwmark: 66 })).identity, {
    kind: 'fwmark',
    family: 4,
    fwmark: 66,
  });
});

test('values that the kernel would misread are refused before they are sent', () => {
  const wrongServices: readonly IpvsService[] = [
    { ...service(), scheduler: 'a-name-too-long-' },
    { ...service(), schedulerFlags: 8 },
    { ...service(), persistence: { timeoutSeconds: 1, prefixLength: 33 } },
    { ...service(), persistence: { timeoutSeconds: -1, prefixLength: 32 } },
    { ...service(), identity: { kind: 'fwmark', family: 4, fwmark: 2 ** 32 } },
  ];
  for (const wrong of wrongServices) {
    assert.throws(() => encodeOperation({ kind: 'add-service', service: wrong }), WireError);
  }
  const wrongServers: readonly Partial<IpvsServer>[] = [
    { weight: -1 },
    { weight: 2 ** 31 },
    { port: 65_536 },
    { upperThreshold: -1 },
  ];
  for (const wrong of wrongServers) {
    const operation = {
      kind: 'add-server' as const,
      service: service().identity,
      server: { ...server(), ...wrong },
    };
    assert.throws(() => encodeOperation(operation), WireError);
  }
});

type ServiceValues = NonNullable<AttributeValues<typeof commandAttributes>['service']>;

function spoil(original: IpvsService, change: Partial<ServiceValues>): Uint8Array {
  const { payload } = encodeOperation({ kind: 'add-service', service: original });
  const values = decodeAttributes(commandAttributes, payload);
  return encodeAttributes(commandAttributes, { service: { ...values.service, ...change } });
}

function service(): IpvsService {
  return {
    identity: { kind: 'address', protocol: 'tcp', address: ipAddress('10.0.0.1'), port: 80 },
    scheduler: 'wrr',
    onePacket: false,
    schedulerFlags: 0,
  };
}

function server(): IpvsServer {
  return {
    address: ipAddress('10.0.0.2'),
    port: 80,
    forwarding: 'nat',
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
  };
}
