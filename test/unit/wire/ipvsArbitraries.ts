/** Random services, servers and daemons that the kernel could hold. */
import fc from 'fast-check';
import {
  familyOf,
  type IpAddress,
  type IpFamily,
  ipFromBytes,
} from '../../../src/wire/ipAddress.js';
import type {
  IpvsOperation,
  IpvsServer,
  IpvsService,
  ServiceIdentity,
  SyncDaemon,
  TunnelEncapsulation,
} from '../../../src/wire/ipvsModel.js';

/** fast-check makes records without prototype, which strict equality tells from plain objects. */
function plain<Value>(value: Value): Value {
  return structuredClone(value);
}

export const anyPort = fc.integer({ min: 0, max: 65_535 });

export function anyAddress(family: IpFamily): fc.Arbitrary<IpAddress> {
  const length = family === 4 ? 4 : 16;
  return fc.uint8Array({ minLength: length, maxLength: length }).map(ipFromBytes);
}

export const anyFamily: fc.Arbitrary<IpFamily> = fc.constantFrom(4, 6);

export const anyIdentity: fc.Arbitrary<ServiceIdentity> = fc
  .oneof(
    anyFamily.chain((family) =>
      fc.record({
        kind: fc.constant('address' as const),
        protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
        address: anyAddress(family),
        port: anyPort,
      }),
    ),
    fc.record({
      kind: fc.constant('fwmark' as const),
      family: anyFamily,
      fwmark: fc.integer({ min: 1, max: 0xffff_ffff }),
    }),
  )
  .map(plain);

const anyName = fc.stringMatching(/^[a-z]{1,15}$/);

export const anyService: fc.Arbitrary<IpvsService> = anyIdentity
  .chain((identity) => {
    const family = identity.kind === 'fwmark' ? identity.family : familyOf(identity.address);
    const persistence = fc.record({
      timeoutSeconds: fc.integer({ min: 1, max: 2_678_400 }),
      prefixLength:
        family === 4 ? fc.integer({ min: 0, max: 32 }) : fc.integer({ min: 1, max: 128 }),
    });
    return fc.record(
      {
        identity: fc.constant(identity),
        scheduler: anyName,
        persistence,
        onePacket: fc.boolean(),
        schedulerFlags: fc.integer({ min: 0, max: 7 }),
        persistenceEngine: anyName,
      },
      { requiredKeys: ['identity', 'scheduler', 'onePacket', 'schedulerFlags'] },
    );
  })
  .map(plain);

const anyEncapsulation: fc.Arbitrary<TunnelEncapsulation> = fc.oneof(
  fc.record({
    type: fc.constant('gue' as const),
    port: fc.integer({ min: 1, max: 65_535 }),
    checksum: fc.constantFrom('none' as const, 'full' as const, 'remote' as const),
  }),
  fc.record({
    type: fc.constant('gre' as const),
    checksum: fc.constantFrom('none' as const, 'full' as const),
  }),
);

const anyCount = fc.integer({ min: 0, max: 0x7fff_ffff });

export const anyServer: fc.Arbitrary<IpvsServer> = anyFamily
  .chain((family) => {
    const common = {
      address: anyAddress(family),
      port: anyPort,
      weight: anyCount,
      upperThreshold: anyCount,
      lowerThreshold: anyCount,
    };
    return fc.oneof(
      fc.record({
        ...common,
        forwarding: fc.constantFrom('nat', 'local', 'tunnel', 'dr', 'bypass'),
      }),
      fc.record({
        ...common,
        forwarding: fc.constant('tunnel' as const),
        encapsulation: anyEncapsulation,
      }),
    );
  })
  .map(plain);

export const anyDaemon: fc.Arbitrary<SyncDaemon> = fc
  .record(
    {
      role: fc.constantFrom('master' as const, 'backup' as const),
      interface: anyName,
      syncId: fc.integer({ min: 0, max: 255 }),
      group: anyFamily.chain(anyAddress),
      port: fc.integer({ min: 1, max: 65_535 }),
      ttl: fc.integer({ min: 1, max: 255 }),
      maxLengthBytes: fc.integer({ min: 1, max: 65_507 }),
    },
    { requiredKeys: ['role', 'interface', 'syncId'] },
  )
  .map(plain);

export const anyOperation: fc.Arbitrary<IpvsOperation> = fc
  .oneof(
    fc.record({
      kind: fc.constantFrom('add-service' as const, 'edit-service' as const),
      service: anyService,
    }),
    fc.record({ kind: fc.constant('delete-service' as const), service: anyIdentity }),
    fc.record({
      kind: fc.constantFrom('add-server' as const, 'edit-server' as const),
      service: anyIdentity,
      server: anyServer,
    }),
    fc.record({
      kind: fc.constant('delete-server' as const),
      service: anyIdentity,
      server: anyServer.map(({ address, port }) => ({ address, port })),
    }),
  )
  .map(plain);
