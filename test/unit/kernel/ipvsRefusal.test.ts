import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationHolds } from '../../../src/kernel/ipvsLostOperation.js';
import {
  answerLost,
  daemonStartRefused,
  ipvsUnavailable,
  operationRefused,
  requestRefused,
  timeoutsRefused,
} from '../../../src/kernel/ipvsRefusal.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { IpvsOperation, IpvsServer, IpvsService } from '../../../src/wire/ipvsModel.js';

const service: IpvsService = {
  identity: { kind: 'address', protocol: 'tcp', address: ipAddress('10.0.0.1'), port: 80 },
  scheduler: 'wrr',
  onePacket: false,
  schedulerFlags: 0,
};
const server: IpvsServer = {
  address: ipAddress('10.0.0.2'),
  port: 80,
  forwarding: 'nat',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
};
const addService: IpvsOperation = { kind: 'add-service', service };
const addServer: IpvsOperation = { kind: 'add-server', service: service.identity, server };

test('a refusal names the change as an operator writes it, the errno, and what it means', () => {
  const error = operationRefused(addServer, 'EEXIST');
  assert.equal(error.code, 'IPVS_REFUSED');
  assert.equal(error.errnoName, 'EEXIST');
  assert.equal(
    error.message,
    'cannot add server tcp://10.0.0.1:80 -> 10.0.0.2:80 (nat, weight 1): ' +
      'EEXIST: the server exists already',
  );
});

test('an unknown scheduler hints at the module to load', () => {
  const error = operationRefused(addService, 'ENOENT');
  assert.match(error.message, /the kernel has no scheduler wrr$/);
  assert.match(error.hint, /`modprobe ip_vs_wrr`/);
  const withEngine = operationRefused(
    { kind: 'edit-service', service: { ...service, persistenceEngine: 'sip' } },
    'ENOENT',
  );
  assert.match(withEngine.hint, /`modprobe ip_vs_wrr`, `modprobe ip_vs_pe_sip`/);
});

test('a lack of privilege is a PERMISSION error, whatever was asked', () => {
  for (const error of [
    operationRefused(addServer, 'EPERM'),
    daemonStartRefused({ role: 'master', interface: 'eth0', syncId: 1 }, 'EPERM'),
    requestRefused('list the services', 'EPERM'),
  ]) {
    assert.equal(error.code, 'PERMISSION');
    assert.match(error.hint, /CAP_NET_ADMIN/);
  }
});

test('every errno that the kernel is known to answer has words of its own', () => {
  const editService: IpvsOperation = { kind: 'edit-service', service };
  const deleteService: IpvsOperation = { kind: 'delete-service', service: service.identity };
  const editServer: IpvsOperation = { ...addServer, kind: 'edit-server' };
  const deleteServer: IpvsOperation = { ...addServer, kind: 'delete-server' };
  const known: readonly (readonly [IpvsOperation, readonly string[]])[] = [
    [addService, ['EEXIST', 'ENOENT', 'EINVAL', 'EAFNOSUPPORT', 'ENOMEM']],
    [editService, ['ESRCH', 'ENOENT', 'EINVAL', 'EAFNOSUPPORT']],
    [deleteService, ['ESRCH', 'EAFNOSUPPORT']],
    [addServer, ['EEXIST', 'ESRCH', 'ERANGE', 'EINVAL', 'ENOMEM']],
    [editServer, ['ENOENT', 'ESRCH', 'ERANGE', 'EINVAL']],
    [deleteServer, ['ENOENT', 'ESRCH']],
  ];
  for (const [operation, errnoNames] of known) {
    for (const errnoName of errnoNames) {
      const { message } = operationRefused(operation, errnoName);
      assert.match(message, new RegExp(`: ${errnoName}: [a-z]`), `${operation.kind} ${errnoName}`);
    }
  }
  for (const errnoName of ['EEXIST', 'ENODEV', 'ENETUNREACH', 'EINVAL']) {
    const daemon = { role: 'backup', interface: 'eth7', syncId: 1 } as const;
    const { message } = daemonStartRefused(daemon, errnoName);
    assert.match(message, /^cannot start the backup sync daemon on eth7: [A-Z]+: [a-z]/);
  }
});

/** What was asked, the errno, and words of the explanation and its hint. */
type Case = readonly [operation: IpvsOperation, errnoName: string, why: RegExp, hint: RegExp];

const ipv6Service: IpvsService = {
  ...service,
  identity: { kind: 'address', protocol: 'udp', address: ipAddress('2001:db8::1'), port: 53 },
};

function withServer(
  change: Partial<IpvsServer>,
  of: IpvsService = service,
  kind: 'add-server' | 'edit-server' = 'add-server',
): IpvsOperation {
  return { kind, service: of.identity, server: { ...server, ...change } };
}

function withSettings(change: Partial<IpvsService>, of: IpvsService = service): IpvsOperation {
  return { kind: 'add-service', service: { ...of, ...change } };
}

const cases: readonly Case[] = [
  [withSettings({ scheduler: '' }), 'ENOENT', /no scheduler was named/, /for example wlc/],
  [
    withSettings({ scheduler: 'a-name-too-long-' }),
    'EINVAL',
    /the scheduler has 16 characters/,
    /at most 15/,
  ],
  [
    withSettings({ persistenceEngine: 'a-name-too-long--' }),
    'EINVAL',
    /engine has 17 characters/,
    /at most 16/,
  ],
  [
    withSettings({ persistence: { timeoutSeconds: 60, prefixLength: 0 } }, ipv6Service),
    'EINVAL',
    /told apart by 0 bits/,
    /1 to 128/,
  ],
  [withServer({ weight: -1 }), 'ERANGE', /the weight -1/, /0 to 2147483647/],
  [
    withServer({ lowerThreshold: 5, upperThreshold: 4 }),
    'ERANGE',
    /lower threshold 5 is above the upper one, 4$/,
    /Raise the upper/,
  ],
  [withServer({ lowerThreshold: 5 }, service, 'edit-server'), 'ERANGE', /one, 0$/, /0 is no limit/],
  [
    withServer({ address: ipAddress('2001:db8::2') }),
    'EINVAL',
    /the server is IPv6 and the service IPv4$/,
    /needs forwarding method tunnel/,
  ],
  [
    withServer({ address: ipAddress('10.0.0.2'), forwarding: 'tunnel' }, ipv6Service),
    'EINVAL',
    /IPv4 and the service IPv6, and a sync daemon runs/,
    /--stop-daemon/,
  ],
  [
    withServer({
      forwarding: 'tunnel',
      encapsulation: { type: 'gue', port: 0, checksum: 'none' },
    }),
    'EINVAL',
    /a GUE tunnel needs a port/,
    /UDP port/,
  ],
  [withServer({ upperThreshold: 2 ** 31 }), 'EINVAL', /threshold is out of/, /0 to 2147483647/],
  [withServer({ address: ipAddress('224.0.0.1') }), 'EINVAL', /multicast/, /own address/],
  [withServer({ address: ipAddress('0.0.0.0') }), 'EINVAL', /every address/, /own address/],
  [withServer({ address: ipAddress('fe80::2') }, ipv6Service), 'EINVAL', /link-local/, /global/],
  [withServer({ address: ipAddress('::') }, ipv6Service), 'EINVAL', /every address/, /own/],
  [
    withServer({ address: ipAddress('10.0.0.255') }),
    'EINVAL',
    /the address is no unicast address here$/,
    /`ip route get 10\.0\.0\.255`/,
  ],
  [withServer({}, service, 'edit-server'), 'EINVAL', /does not take these settings/, /tunnel/],
];

test('the cause of an errno with many is told from what was asked', () => {
  for (const [operation, errnoName, why, hint] of cases) {
    const error = operationRefused(operation, errnoName);
    assert.match(error.message, why);
    assert.match(error.hint, hint);
  }
});

test('a sync daemon and timeouts that are refused have causes of their own too', () => {
  const daemon = { role: 'master', interface: 'lo', syncId: 1 } as const;
  const unicast = daemonStartRefused({ ...daemon, group: ipAddress('10.0.0.1') }, 'EINVAL');
  assert.match(unicast.message, /10\.0\.0\.1 is no multicast address/);
  assert.match(daemonStartRefused(daemon, 'EINVAL').hint, /server of the other address family/);
  const ipv6 = daemonStartRefused({ ...daemon, group: ipAddress('ff02::81') }, 'ENETUNREACH');
  assert.match(ipv6.hint, /no IPv6 multicast on lo/);
  assert.match(daemonStartRefused(daemon, 'ENETUNREACH').hint, /lo is up/);
  const timeouts = timeoutsRefused({ tcpSeconds: 60, tcpFinSeconds: 0xffff_ffff }, 'EINVAL');
  assert.match(timeouts.message, /tcpfin timeout of 4294967295 s is more than/);
  assert.match(timeouts.hint, /1 to 2147483 s/);
  assert.equal(timeoutsRefused({}, 'EPERM').code, 'PERMISSION');
});

test('an errno without words of its own is still named', () => {
  assert.match(operationRefused(addServer, 'EIO').message, /: EIO$/);
});

test('a kernel without IPVS and a lost answer have codes of their own', () => {
  assert.equal(ipvsUnavailable('list the services').code, 'IPVS_UNAVAILABLE');
  assert.equal(requestRefused('list the services', 'ENOENT').code, 'IPVS_UNAVAILABLE');
  assert.equal(answerLost('list the services', 'timeout').code, 'NETLINK_TIMEOUT');
  assert.equal(answerLost('list the services', 'overrun').errnoName, 'ENOBUFS');
});

test('whether a change was made is told from the table when its answer was lost', () => {
  const key = 'tcp://10.0.0.1:80';
  const empty = { services: new Map<string, IpvsService>(), servers: new Map() };
  const full = { services: new Map([[key, service]]), servers: new Map([[key, [server]]]) };
  const heavier: IpvsOperation = {
    kind: 'edit-server',
    service: service.identity,
    server: { ...server, weight: 2 },
  };
  const rescheduled: IpvsOperation = {
    kind: 'edit-service',
    service: { ...service, scheduler: 'rr' },
  };
  const deleteService: IpvsOperation = { kind: 'delete-service', service: service.identity };
  const deleteServer: IpvsOperation = { ...addServer, kind: 'delete-server' };
  const expected: readonly (readonly [IpvsOperation, boolean, boolean])[] = [
    [addService, true, false],
    [rescheduled, false, false],
    [deleteService, false, true],
    [addServer, true, false],
    [heavier, false, false],
    [deleteServer, false, true],
  ];
  for (const [operation, inFull, inEmpty] of expected) {
    assert.equal(operationHolds(operation, full), inFull, operation.kind);
    assert.equal(operationHolds(operation, empty), inEmpty, operation.kind);
  }
});
