import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeOperation, type IpvsRequest } from '../../../src/wire/ipvs.js';
import type { IpvsOperation } from '../../../src/wire/ipvsModel.js';
import { OperationEncoder } from '../../../src/wire/ipvsOperations.js';
import { WireError } from '../../../src/wire/wireError.js';
import { anyIdentity, anyOperation, anyServer } from './ipvsArbitraries.js';

/** Changes of servers of a few services, as a large table is loaded with. */
const serverChanges = fc
  .tuple(
    fc.array(anyIdentity, { minLength: 1, maxLength: 2 }),
    fc.array(anyServer, { minLength: 1, maxLength: 3 }),
  )
  .chain(([services, servers]) =>
    fc.array(
      fc.tuple(
        fc.constantFrom('add-server' as const, 'edit-server' as const),
        fc.constantFrom(...services),
        fc.constantFrom(...servers),
        anyServer,
      ),
      { maxLength: 12 },
    ),
  )
  .map((changes) =>
    changes.map(([kind, service, like, { address, port, weight }]): IpvsOperation => {
      return { kind, service, server: { ...like, address, port, weight } };
    }),
  );

/** A request as it is sent, among others. */
function sent(request: IpvsRequest): readonly [number, boolean, Uint8Array] {
  const margin = 5;
  const bytes = new Uint8Array(margin + request.payload.length + margin);
  bytes.set(request.payload, margin);
  request.overwrite?.(bytes, margin);
  return [request.command, request.dump, bytes];
}

test('a change is the same message whatever changes were encoded before it', () => {
  fc.assert(
    fc.property(fc.oneof(serverChanges, fc.array(anyOperation)), (operations) => {
      const encoder = new OperationEncoder();
      for (const operation of operations) {
        assert.deepEqual(sent(encoder.encode(operation)), sent(encodeOperation(operation)));
      }
    }),
  );
});

test('what does not fit is refused, also in a change that is like the one before it', () => {
  fc.assert(
    fc.property(anyIdentity, anyServer, (service, server) => {
      for (const wrong of [{ weight: -1 }, { weight: 2 ** 31 }, { port: 65_536 }, { port: 1.5 }]) {
        const encoder = new OperationEncoder();
        encoder.encode({ kind: 'add-server', service, server });
        const spoilt = { ...server, ...wrong };
        assert.throws(
          () => encoder.encode({ kind: 'add-server', service, server: spoilt }),
          WireError,
        );
      }
    }),
  );
});
