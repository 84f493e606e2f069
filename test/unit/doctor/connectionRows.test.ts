import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionsOf, waitingInBoth } from '../../../src/doctor/connectionRows.js';

const title = 'Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData';
const row = (port: string, state: string, expires: number): string =>
  `TCP CB007107 ${port} AC19FE64 0050 C0A8000A 0050 ${state.padEnd(11)} ${expires}`;

test('handshakes and remembered clients are read, and everything else is passed over', () => {
  const { waiting, templates } = connectionsOf([
    title,
    row('9C40', 'SYN_RECV', 57),
    row('9C41', 'ESTABLISHED', 899),
    row('0000', 'NONE', 300),
    'nonsense',
    '',
  ]);
  const ends = { client: '203.0.113.7', virtual: '172.25.254.100', server: '192.168.0.10' };
  const ports = { clientPort: 40_000, virtualPort: 80, serverPort: 80 };
  assert.deepEqual(waiting, [{ ...ends, ...ports, expiresSeconds: 57 }]);
  assert.deepEqual(templates, [ends]);
});

test('what waits at both looks is told, and whether its client has asked again', () => {
  const look = (...rows: readonly string[]) => connectionsOf(rows).waiting;
  const before = look(row('0001', 'SYN_RECV', 50), row('0002', 'SYN_RECV', 50));
  const after = look(
    row('0001', 'SYN_RECV', 58),
    row('0002', 'SYN_RECV', 48),
    row('0003', 'SYN_RECV', 59),
  );
  assert.deepEqual(
    waitingInBoth(before, after, 3_500).map(({ clientPort, asksAgain }) => [clientPort, asksAgain]),
    [
      [1, true],
      [2, false],
    ],
    'a clock that lags by a second is no new packet',
  );
  const soon = waitingInBoth(before, look(row('0002', 'SYN_RECV', 50)), 400);
  assert.equal(soon[0]?.asksAgain, false, 'the second of the first look has not ended');
});
