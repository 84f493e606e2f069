import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsWidening, widenedKernel } from '../../../src/drill/processorState.js';

/** An auxiliary vector as the kernel lays it out: pairs of a type and a value. */
function auxiliaryVector(entries: readonly (readonly [number, number])[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(entries.flat().map(BigInt)).buffer);
}

test('a processor with AMX has more registers than the embedded kernel takes', () => {
  const page = [6, 4_096] as const;
  assert.equal(needsWidening(auxiliaryVector([page, [51, 11_952], [0, 0]])), true);
  assert.equal(needsWidening(auxiliaryVector([page, [51, 3_632], [0, 0]])), false, 'AVX-512');
  assert.equal(needsWidening(auxiliaryVector([page, [0, 0]])), false, 'an older kernel');
});

/** `movq $2696, -8(%rbp)` and `mov $request, %edi`, as Debian's build has them. */
function registerCall(request: number): readonly number[] {
  return [0x48, 0xc7, 0x45, 0xf8, 0x88, 0x0a, 0, 0, 0xbf, request, 0x42, 0, 0];
}

test('of the embedded kernel only the length of the registers it writes changes', () => {
  const program = Uint8Array.from([...registerCall(0x04), 1, 2, ...registerCall(0x05), 3]);
  const expected = Uint8Array.from(program);
  expected.set([0, 0, 1, 0], 13 + 2 + 4);
  assert.deepEqual(Uint8Array.from(widenedKernel(program) ?? []), expected);
});

test('a kernel without exactly one such place is left alone', () => {
  const read = registerCall(0x04);
  const write = registerCall(0x05);
  assert.equal(widenedKernel(Uint8Array.from(read)), undefined);
  assert.equal(widenedKernel(Uint8Array.from([...write, ...write])), undefined);
});
