import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { describe, test } from 'node:test';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import {
  decodeDaemonMessage,
  decodeInfoMessage,
  decodeServerMessage,
  decodeServiceMessage,
  decodeTimeoutsMessage,
  encodeDaemonStart,
  encodeDaemonStop,
  encodeDaemonsQuery,
  encodeInfoQuery,
  encodeOperation,
  encodeServersQuery,
  encodeServicesQuery,
  encodeTimeouts,
  encodeTimeoutsQuery,
  encodeZero,
  type IpvsRequest,
} from '../../../src/wire/ipvs.js';
import { commandAttributes } from '../../../src/wire/ipvsAttributes.js';
import type { IpvsServer, IpvsService, ServiceIdentity } from '../../../src/wire/ipvsModel.js';
import { decodeIdentity } from '../../../src/wire/ipvsService.js';
import { noStatistics } from '../../../src/wire/ipvsStatistics.js';
import { decodeAttributes } from '../../../src/wire/netlinkAttributes.js';
import { ipvsadmRequests, kernelAnswers } from './ipvsCaptures.js';

const skip = endianness() === 'BE' ? 'the captures are of a little-endian host' : false;

/** Captures begin with the generic netlink header: command, version, two reserved bytes. */
const headerLength = 4;

const tcp: ServiceIdentity = {
  kind: 'address',
  protocol: 'tcp',
  address: ipAddress('10.0.0.1'),
  port: 80,
};
const udp: ServiceIdentity = { ...tcp, protocol: 'udp', port: 53 };
const ipv6: ServiceIdentity = { ...tcp, address: ipAddress('2001:db8::1') };
const fwmark: ServiceIdentity = { kind: 'fwmark', family: 4, fwmark: 66 };

const tcpService: IpvsService = {
  identity: tcp,
  scheduler: 'wrr',
  persistence: { timeoutSeconds: 360, prefixLength: 24 },
  onePacket: false,
  schedulerFlags: 0,
};
const udpService: IpvsService = {
  identity: udp,
  scheduler: 'rr',
  onePacket: true,
  schedulerFlags: 0,
};
const ipv6Service: IpvsService = {
  identity: ipv6,
  scheduler: 'mh',
  persistence: { timeoutSeconds: 50, prefixLength: 64 },
  onePacket: false,
  schedulerFlags: 2,
};
const fwmarkService: IpvsService = {
  identity: fwmark,
  scheduler: 'sh',
  onePacket: false,
  schedulerFlags: 3,
};
const editedService: IpvsService = {
  identity: tcp,
  scheduler: 'wlc',
  onePacket: false,
  schedulerFlags: 0,
};

const natServer: IpvsServer = {
  address: ipAddress('10.0.0.2'),
  port: 8080,
  forwarding: 'nat',
  weight: 3,
  upperThreshold: 100,
  lowerThreshold: 50,
};
const editedServer: IpvsServer = { ...natServer, weight: 0, upperThreshold: 0, lowerThreshold: 0 };
const directServer: IpvsServer = {
  address: ipAddress('2001:db8::2'),
  port: 80,
  forwarding: 'dr',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
const tunnelServer: IpvsServer = {
  address: ipAddress('10.0.0.3'),
  port: 0,
  forwarding: 'tunnel',
  weight: 2,
  upperThreshold: 0,
  lowerThreshold: 0,
};
const gueServer: IpvsServer = {
  ...tunnelServer,
  port: 53,
  encapsulation: { type: 'gue', port: 6080, checksum: 'none' },
};

describe('requests are the bytes that ipvsadm sends', { skip }, () => {
  const vectors: readonly (readonly [string, IpvsRequest, Uint8Array])[] = [
    [
      'add a TCP service',
      encodeOperation({ kind: 'add-service', service: tcpService }),
      ipvsadmRequests.addTcpService,
    ],
    [
      'add a UDP service',
      encodeOperation({ kind: 'add-service', service: udpService }),
      ipvsadmRequests.addUdpOnePacketService,
    ],
    [
      'add an IPv6 service',
      encodeOperation({ kind: 'add-service', service: ipv6Service }),
      ipvsadmRequests.addIpv6Service,
    ],
    [
      'add a firewall mark service',
      encodeOperation({ kind: 'add-service', service: fwmarkService }),
      ipvsadmRequests.addFwmarkService,
    ],
    [
      'edit a service',
      encodeOperation({ kind: 'edit-service', service: editedService }),
      ipvsadmRequests.editService,
    ],
    ['set timeouts', encodeTimeouts(timeouts()), ipvsadmRequests.setTimeouts],
    [
      'start a master daemon',
      encodeDaemonStart({ role: 'master', interface: 'd0', syncId: 5 }),
      ipvsadmRequests.startMaster,
    ],
    [
      'start a backup daemon with every setting',
      encodeDaemonStart({
        role: 'backup',
        interface: 'd0',
        syncId: 5,
        group: ipAddress('224.0.0.82'),
        port: 8850,
        ttl: 2,
        maxLengthBytes: 2000,
      }),
      ipvsadmRequests.startBackup,
    ],
    ['zero all counters', encodeZero(), ipvsadmRequests.zeroAll],
    ['list all services', encodeServicesQuery(), ipvsadmRequests.listServices],
    ['list the servers of a service', encodeServersQuery(tcp), ipvsadmRequests.listTcpServers],
    ['list the servers of a mark', encodeServersQuery(fwmark), ipvsadmRequests.listFwmarkServers],
  ];
  for (const [name, request, capture] of vectors) {
    test(name, () => {
      assert.equal(request.command, capture[0]);
      assert.equal(hex(request.payload), hex(capture.subarray(headerLength)));
    });
  }
});

describe('server requests name the service by its identity alone', { skip }, () => {
  // ipvsadm sends all settings of the service as well, which the kernel does not read there; the
  // attributes of the server are the same to the byte.
  const serverLength = 0x60;
  const vectors: readonly (readonly [
    string,
    'add' | 'edit',
    ServiceIdentity,
    IpvsServer,
    Uint8Array,
  ])[] = [
    ['NAT', 'add', tcp, natServer, ipvsadmRequests.addNatServer],
    ['direct routing over IPv6', 'add', ipv6, directServer, ipvsadmRequests.addDirectRoutingServer],
    ['a tunnel', 'add', fwmark, tunnelServer, ipvsadmRequests.addTunnelServer],
    ['a GUE tunnel', 'add', udp, gueServer, ipvsadmRequests.addGueServer],
    ['an edit', 'edit', tcp, editedServer, ipvsadmRequests.editServer],
  ];
  for (const [name, verb, service, server, capture] of vectors) {
    test(name, () => {
      const request = encodeOperation({ kind: `${verb}-server`, service, server });
      assert.equal(request.command, capture[0]);
      const length = request.payload.length;
      assert.equal(
        hex(request.payload.subarray(length - serverLength)),
        hex(capture.subarray(capture.length - serverLength)),
      );
      assert.deepEqual(identityIn(request.payload), identityIn(capture.subarray(headerLength)));
    });
  }
});

test('deletions carry identities and nothing else', { skip }, () => {
  const service = encodeOperation({ kind: 'delete-service', service: tcp });
  assert.equal(service.command, ipvsadmRequests.deleteService[0]);
  // The same identity as the bytes of ipvsadm's question for the servers of this service.
  assert.equal(hex(service.payload), hex(ipvsadmRequests.listTcpServers.subarray(headerLength)));
  const server = encodeOperation({ kind: 'delete-server', service: tcp, server: natServer });
  assert.equal(server.command, ipvsadmRequests.deleteServer[0]);
  assert.equal(
    hex(server.payload.subarray(service.payload.length)),
    `2800028006000b000200000014000100${'0a000002'.padEnd(32, '0')}060002001f900000`,
  );
  const daemon = encodeDaemonStop('master');
  assert.equal(daemon.command, ipvsadmRequests.stopMaster[0]);
  assert.equal(hex(daemon.payload), '0c0003800800010001000000');
});

test('questions without an identity have no attributes', () => {
  for (const request of [
    encodeServicesQuery(),
    encodeDaemonsQuery(),
    encodeInfoQuery(),
    encodeTimeoutsQuery(),
    encodeZero(),
  ]) {
    assert.equal(request.payload.length, 0);
  }
});

describe('answers of the kernel are read', { skip }, () => {
  const services: readonly (readonly [string, Uint8Array, IpvsService])[] = [
    ['a TCP service', kernelAnswers.tcpService, editedService],
    ['a UDP service', kernelAnswers.udpService, udpService],
    ['an IPv6 service', kernelAnswers.ipv6Service, ipv6Service],
    ['a firewall mark service', kernelAnswers.fwmarkService, fwmarkService],
  ];
  for (const [name, capture, expected] of services) {
    test(name, () => {
      const decoded = decodeServiceMessage(capture.subarray(headerLength));
      assert.deepEqual(decoded, { ...expected, statistics: noStatistics });
    });
  }
  const servers: readonly (readonly [string, Uint8Array, IpvsServer, 4 | 6])[] = [
    ['a NAT server', kernelAnswers.natServer, editedServer, 4],
    ['a direct routing server', kernelAnswers.directRoutingServer, directServer, 6],
    ['a tunnel server', kernelAnswers.tunnelServer, tunnelServer, 4],
    ['a GUE tunnel server', kernelAnswers.gueServer, gueServer, 4],
  ];
  for (const [name, capture, expected, family] of servers) {
    test(name, () => {
      assert.deepEqual(decodeServerMessage(capture.subarray(headerLength), family), {
        ...expected,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
        statistics: noStatistics,
      });
    });
  }
  test('version and table size', () => {
    assert.deepEqual(decodeInfoMessage(kernelAnswers.info.subarray(headerLength)), {
      version: '1.2.1',
      tableSize: 4096,
    });
  });
  test('timeouts', () => {
    const answer = kernelAnswers.timeouts.subarray(headerLength);
    assert.deepEqual(decodeTimeoutsMessage(answer), timeouts());
  });
  test('sync daemons', () => {
    assert.deepEqual(decodeDaemonMessage(kernelAnswers.masterDaemon.subarray(headerLength)), {
      role: 'master',
      interface: 'd0',
      syncId: 5,
      group: '224.0.0.81',
      port: 8848,
      ttl: 1,
      maxLengthBytes: 1472,
    });
    assert.deepEqual(decodeDaemonMessage(kernelAnswers.backupDaemon.subarray(headerLength)), {
      role: 'backup',
      interface: 'd0',
      syncId: 5,
      group: '224.0.0.82',
      port: 8850,
      ttl: 2,
      maxLengthBytes: 2000,
    });
  });
  test('an answer with attributes of a newer kernel', () => {
    // One unknown attribute at the end of the message, and one at the end of the service.
    const capture = Buffer.from(kernelAnswers.tcpService.subarray(headerLength));
    const inside = Buffer.from('08004d0001020304', 'hex');
    const grown = Buffer.concat([capture, inside, Buffer.from('0800630005060708', 'hex')]);
    grown.writeUInt16LE(capture.readUInt16LE(0) + inside.length, 0);
    assert.deepEqual(decodeServiceMessage(grown), {
      ...editedService,
      statistics: noStatistics,
      unknownAttributes: [{ id: 0x4d, payload: Buffer.of(1, 2, 3, 4) }],
    });
    const values = decodeAttributes(commandAttributes, grown);
    assert.equal(values.unknownAttributes?.[0]?.id, 0x63);
    assert.equal(values.service?.unknownAttributes?.[0]?.id, 0x4d);
  });
});

function timeouts(): { tcpSeconds: number; tcpFinSeconds: number; udpSeconds: number } {
  return { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };
}

function identityIn(payload: Uint8Array): ServiceIdentity | undefined {
  const { service } = decodeAttributes(commandAttributes, payload);
  return service === undefined ? undefined : decodeIdentity(service);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
