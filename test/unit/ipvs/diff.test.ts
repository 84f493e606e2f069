import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffTables, followUp } from '../../../src/ipvs/diff.js';
import { indexTable, type TableService } from '../../../src/ipvs/table.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { IpvsOperation, IpvsServer, ServiceIdentity } from '../../../src/wire/ipvsModel.js';
import { formatServiceIdentity } from '../../../src/wire/ipvsText.js';
import { ModelTable } from './modelTable.js';

// Few names, so that random tables share services and servers and differ in their settings.
const identities: readonly ServiceIdentity[] = [
  { kind: 'address', protocol: 'tcp', address: ipAddress('10.0.0.1'), port: 80 },
  { kind: 'address', protocol: 'udp', address: ipAddress('10.0.0.1'), port: 80 },
  { kind: 'address', protocol: 'sctp', address: ipAddress('2001:db8::1'), port: 80 },
  { kind: 'fwmark', family: 4, fwmark: 66 },
  { kind: 'fwmark', family: 6, fwmark: 66 },
];

const anyServer: fc.Arbitrary<IpvsServer> = fc.record({
  address: fc.constantFrom(ipAddress('10.0.0.2'), ipAddress('10.0.0.3'), ipAddress('2001:db8::2')),
  port: fc.constantFrom(80, 8080),
  forwarding: fc.constantFrom('nat' as const, 'dr' as const, 'tunnel' as const),
  weight: fc.integer({ min: 0, max: 2 }),
  upperThreshold: fc.constantFrom(10, 20),
  lowerThreshold: fc.constantFrom(0, 5),
});

function anyService(identity: ServiceIdentity): fc.Arbitrary<TableService> {
  return fc.record({
    service: fc.record(
      {
        identity: fc.constant(identity),
        scheduler: fc.constantFrom('rr', 'wlc'),
        persistence: fc.record({
          timeoutSeconds: fc.constantFrom(1, 360),
          prefixLength: fc.constantFrom(24, 32),
        }),
        onePacket: fc.boolean(),
        schedulerFlags: fc.integer({ min: 0, max: 7 }),
        persistenceEngine: fc.constant('sip'),
      },
      { requiredKeys: ['identity', 'scheduler', 'onePacket', 'schedulerFlags'] },
    ),
    servers: fc.uniqueArray(anyServer, { selector: ({ address, port }) => `${address} ${port}` }),
  });
}

const anyTable: fc.Arbitrary<readonly TableService[]> = fc
  .subarray([...identities])
  .chain((chosen) => fc.tuple(...chosen.map(anyService)))
  .map((table) => structuredClone(table));

const anyRetired = fc.subarray(identities.map(formatServiceIdentity)).map((keys) => new Set(keys));

test('applying the difference to the actual table yields the desired one', () => {
  fc.assert(
    fc.property(anyTable, anyTable, anyRetired, (desired, actual, retired) => {
      const kernel = new ModelTable(actual);
      const { operations } = diffTables(desired, actual, retired);
      for (const operation of operations) assert.equal(kernel.change(operation), undefined);
      const after = indexTable(kernel.content());
      for (const [key, wanted] of indexTable(desired)) assert.deepEqual(after.get(key), wanted);
    }),
  );
});

test('applying it once more finds nothing to do', () => {
  fc.assert(
    fc.property(anyTable, anyTable, anyRetired, (desired, actual, retired) => {
      const kernel = new ModelTable(actual);
      for (const operation of diffTables(desired, actual, retired).operations) {
        kernel.change(operation);
      }
      assert.deepEqual(diffTables(desired, kernel.content(), retired).operations, []);
    }),
  );
});

test('services that were never desired are left alone and counted', () => {
  fc.assert(
    fc.property(anyTable, anyTable, anyRetired, (desired, actual, retired) => {
      const ours = new Set([...indexTable(desired).keys(), ...retired]);
      const foreign = [...indexTable(actual).keys()].filter((key) => !ours.has(key));
      const { operations, foreignServices } = diffTables(desired, actual, retired);
      assert.equal(foreignServices, foreign.length);
      for (const operation of operations) assert.ok(ours.has(serviceKeyOf(operation)));
    }),
  );
});

test('a retired service is deleted whole, and one that is desired again is kept', () => {
  const table = [entry(identities[0], [server({ weight: 1 })])];
  const key = formatServiceIdentity(service());
  assert.deepEqual(diffTables([], table, new Set([key])).operations, [
    { kind: 'delete-service', service: service() },
  ]);
  assert.deepEqual(diffTables(table, table, new Set([key])).operations, []);
});

test('nothing is sent for what is right already, whatever the counters say', () => {
  const actual = entry(identities[0], [server({ weight: 1 })]);
  const listed = {
    service: { ...actual.service, statistics: { connections: 7n } },
    servers: actual.servers.map((each) => ({ ...each, activeConnections: 3 })),
  };
  assert.deepEqual(diffTables([actual], [listed], new Set()).operations, []);
});

test('only the server that differs is edited', () => {
  const other = ipAddress('10.0.0.3');
  const desired = [entry(identities[0], [server({ weight: 2 }), server({ address: other })])];
  const actual = [entry(identities[0], [server({ weight: 1 }), server({ address: other })])];
  assert.deepEqual(diffTables(desired, actual, new Set()).operations, [
    { kind: 'edit-server', service: service(), server: server({ weight: 2 }) },
  ]);
});

test('a service comes before its servers, gains before losses, and deleted services last', () => {
  const desired = [
    entry(identities[0], [
      server({ address: ipAddress('10.0.0.2'), weight: 0 }),
      server({ address: ipAddress('10.0.0.3'), weight: 5 }),
      server({ address: ipAddress('10.0.0.4') }),
    ]),
    entry(identities[1], [server({})]),
  ];
  const actual = [
    entry(identities[4], [server({})]),
    {
      ...entry(identities[0], [
        server({ address: ipAddress('10.0.0.5') }),
        server({ address: ipAddress('10.0.0.2'), weight: 5 }),
        server({ address: ipAddress('10.0.0.3'), weight: 0 }),
      ]),
      service: { identity: service(), scheduler: 'lc', onePacket: false, schedulerFlags: 0 },
    },
  ];
  const retired = new Set(identities.slice(4).map(formatServiceIdentity));
  const { operations } = diffTables(desired, actual, retired);
  assert.deepEqual(
    operations.map((operation) => [
      operation.kind,
      'server' in operation ? operation.server.address : serviceKeyOf(operation),
    ]),
    [
      ['edit-service', 'tcp://10.0.0.1:80'],
      ['edit-server', '10.0.0.3'],
      ['add-server', '10.0.0.4'],
      ['edit-server', '10.0.0.2'],
      ['delete-server', '10.0.0.5'],
      ['add-service', 'udp://10.0.0.1:80'],
      ['add-server', '10.0.0.2'],
      ['delete-service', 'fwmark6:66'],
    ],
  );
});

test('a dump that lists a service twice is compared once', () => {
  const wanted = entry(identities[0], [server({})]);
  const stale = entry(identities[0], []);
  assert.deepEqual(diffTables([wanted], [stale, wanted], new Set()).operations, []);
  assert.equal(diffTables([], [stale, wanted], new Set()).foreignServices, 1);
});

test('a change that met a table changed meanwhile is followed by the one that fits', () => {
  const identity = service();
  const add: IpvsOperation = { kind: 'add-server', service: identity, server: server({}) };
  const edit: IpvsOperation = { ...add, kind: 'edit-server' };
  const addService: IpvsOperation = {
    kind: 'add-service',
    service: { identity, scheduler: 'rr', onePacket: false, schedulerFlags: 0 },
  };
  const editService: IpvsOperation = { ...addService, kind: 'edit-service' };
  const remove: IpvsOperation = { kind: 'delete-server', service: identity, server: server({}) };
  const removeService: IpvsOperation = { kind: 'delete-service', service: identity };
  assert.deepEqual(followUp(add, 'EEXIST'), edit);
  assert.deepEqual(followUp(edit, 'ENOENT'), add);
  assert.deepEqual(followUp(addService, 'EEXIST'), editService);
  assert.deepEqual(followUp(editService, 'ESRCH'), addService);
  assert.equal(followUp(remove, 'ENOENT'), 'already-done');
  assert.equal(followUp(remove, 'ESRCH'), 'already-done');
  assert.equal(followUp(removeService, 'ESRCH'), 'already-done');
  // ENOENT of a service means its scheduler, ESRCH of a new server its service.
  assert.equal(followUp(addService, 'ENOENT'), undefined);
  assert.equal(followUp(editService, 'ENOENT'), undefined);
  assert.equal(followUp(add, 'ESRCH'), undefined);
  assert.equal(followUp(edit, 'EINVAL'), undefined);
  assert.equal(followUp(remove, undefined), undefined);
});

function service(): ServiceIdentity {
  return { kind: 'address', protocol: 'tcp', address: ipAddress('10.0.0.1'), port: 80 };
}

function server(change: Partial<IpvsServer>): IpvsServer {
  return {
    address: ipAddress('10.0.0.2'),
    port: 80,
    forwarding: 'nat',
    weight: 1,
    upperThreshold: 0,
    lowerThreshold: 0,
    ...change,
  };
}

function entry(
  identity: ServiceIdentity | undefined,
  servers: readonly IpvsServer[],
): TableService {
  assert.ok(identity !== undefined);
  return { service: { identity, scheduler: 'rr', onePacket: false, schedulerFlags: 0 }, servers };
}

function serviceKeyOf(operation: IpvsOperation): string {
  const { service: named } = operation;
  return formatServiceIdentity('identity' in named ? named.identity : named);
}
