import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TandemError } from '../../../src/errors.js';
import { readSysctl, sysctlPath, writeSysctl } from '../../../src/kernel/sysctl.js';

test('a parameter is read without the newline at its end', () => {
  assert.equal(readSysctl('kernel.ostype'), 'Linux');
  const file = readFileSync('/proc/sys/net/ipv4/conf/lo/forwarding', 'utf8');
  assert.equal(`${readSysctl('net.ipv4.conf.lo.forwarding')}\n`, file);
});

test('a slash in a name stands for a dot of the file name, as in sysctl(8)', () => {
  assert.equal(
    sysctlPath('net.ipv4.conf.eth0/100.arp_ignore'),
    '/proc/sys/net/ipv4/conf/eth0.100/arp_ignore',
  );
});

test('a name cannot lead out of the parameters', () => {
  for (const name of ['', 'net..ipv4', 'net.//.//.//.etc.passwd', '/.kernel', 'kernel.a\0b']) {
    assert.throws(
      () => sysctlPath(name),
      (error) => error instanceof TandemError && error.code === 'INTERNAL',
    );
  }
});

test('a parameter that does not exist is named in the error, and is not created', () => {
  for (const act of [
    () => readSysctl('net.ipv4.no_such_thing'),
    () => writeSysctl('net.ipv4.no_such_thing', 1),
  ]) {
    assert.throws(
      act,
      (error) =>
        error instanceof TandemError &&
        error.code === 'SYSTEM_CALL' &&
        error.errnoName === 'ENOENT' &&
        error.message.includes('net.ipv4.no_such_thing') &&
        error.hint.includes('net.ipv4.no_such_thing'),
    );
  }
});
