import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LocalPorts } from '../../../src/kernel/localPorts.js';

test('the ports of connections are those that the kernel names', () => {
  const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
  const ports = new LocalPorts();
  const asked = [first - 1, first, last, last + 1].map((port) => ports.include(port));
  assert.deepEqual(asked, [false, true, true, false]);
});
