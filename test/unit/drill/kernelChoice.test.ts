import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseKernel, type KernelFacts } from '../../../src/drill/kernelChoice.js';
import { TandemError } from '../../../src/errors.js';

const able: KernelFacts = {
  root: true,
  privileged: true,
  ipvs: true,
  release: '6.1.0',
  inside: false,
};

test('root on a kernel with IPVS uses that kernel', () => {
  assert.deepEqual(chooseKernel(able, undefined), {
    kind: 'host',
    reason: 'the running kernel 6.1.0 has IPVS',
    boot: false,
  });
});

for (const [title, facts, reason] of [
  ['without root the embedded kernel is used', { root: false }, /not root/],
  ['without capabilities the embedded kernel is used', { privileged: false }, /CAP_NET_ADMIN/],
  ['without IPVS the embedded kernel is used', { ipvs: false }, /6\.1\.0 has no IPVS/],
] as const) {
  test(title, () => {
    const choice = chooseKernel({ ...able, ...facts }, undefined);
    assert.deepEqual([choice.kind, choice.boot], ['embedded', true]);
    assert.match(choice.reason, reason);
  });
}

test('inside the embedded kernel none is booted, whatever was asked for', () => {
  const choice = chooseKernel({ ...able, inside: true }, 'embedded');
  assert.deepEqual([choice.kind, choice.boot], ['embedded', false]);
});

test('the embedded kernel can be asked for', () => {
  assert.equal(chooseKernel(able, 'embedded').boot, true);
});

test('the running kernel is refused when it cannot do', () => {
  const isError = (code: string) => (error: unknown) =>
    error instanceof TandemError && error.code === code;
  assert.throws(() => chooseKernel({ ...able, ipvs: false }, 'host'), isError('IPVS_UNAVAILABLE'));
  assert.throws(() => chooseKernel({ ...able, root: false }, 'host'), isError('PERMISSION'));
});
