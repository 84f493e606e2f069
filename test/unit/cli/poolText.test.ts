import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceStatus, StatusDocument } from '../../../src/api/statusModel.js';
import { networkLines, poolLines, waitLines } from '../../../src/cli/poolText.js';

const plain = (_tone: string, text: string): string => text;

test('quorum, panic and the sorry server have a line each, and plain services none', () => {
  const service = {
    quorum: { state: 'lost', count: 3, of: 'weight', min: 5 },
    panic: true,
    sorryServer: { address: '192.0.2.99', port: 80, inUse: true },
    servers: [],
  } as unknown as ServiceStatus;
  assert.deepEqual(poolLines(service, plain), [
    'quorum lost: weight 3, at least 5',
    'panic: too few servers are up, so all are treated alike',
    'sorry server 192.0.2.99:80 takes the traffic',
  ]);
  assert.deepEqual(poolLines({ servers: [] } as unknown as ServiceStatus, plain), []);
});

test('a server that is kept out says until when; a ramp says nothing', () => {
  const server = (reason: string, port: number) => ({
    address: '192.0.2.1',
    port,
    check: { operation: { percent: 0, reason, untilUnixMs: 90_000 } },
  });
  const servers = [server('flap-damped', 80), server('slow-start', 81)];
  const service = { servers } as unknown as ServiceStatus;
  const status = { nowUnixMs: 60_000 } as StatusDocument;
  assert.deepEqual(waitLines(service, status, plain), [
    '192.0.2.1:80 passes, but failed too often: let in again in 30s',
  ]);
});

test('a lost network is said first', () => {
  const of = (networkLostUnixMs: number | null) =>
    ({ nowUnixMs: 65_000, threads: { health: { networkLostUnixMs } } }) as StatusDocument;
  assert.deepEqual(networkLines(of(null), plain), []);
  assert.match(networkLines(of(60_000), plain)[0] ?? '', /^every check fails since 5s, .*held/);
});
