import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operationHolds } from '../../../src/kernel/ipvsLostOperation.js';
import {
  answerLost,
  daemonStartRefused,
  ipvsUnavailable,
  operationRefused,
  requestRefused,
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
