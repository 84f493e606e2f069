import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultyPeersMax, PeerFaults, peerFaultGapUs } from '../../../src/vrrp/peerFaults.js';

const [peer, other] = ['51 192.0.2.1', '51 192.0.2.9'];

test('what is wrong with a peer is news once, however long it lasts', () => {
  const faults = new PeerFaults();
  assert.ok(faults.isNews(peer, 'wrong-ttl', 0));
  for (let atUs = 1; atUs < 10 * peerFaultGapUs; atUs += peerFaultGapUs / 4) {
    assert.ok(!faults.isNews(peer, 'wrong-ttl', atUs));
  }
});

test('each peer has news of its own', () => {
  const faults = new PeerFaults();
  assert.ok(faults.isNews(peer, 'wrong-ttl', 0));
  assert.ok(faults.isNews(other, 'wrong-ttl', 0));
});

test('another fault is news, once the gap since the last line is over', () => {
  const faults = new PeerFaults();
  assert.ok(faults.isNews(peer, 'wrong-ttl', 0));
  assert.ok(!faults.isNews(peer, 'bad-checksum', peerFaultGapUs - 1));
  assert.ok(faults.isNews(peer, 'bad-checksum', peerFaultGapUs));
  assert.ok(!faults.isNews(peer, 'bad-checksum', peerFaultGapUs + 1));
});

test('the same fault is news again after good packets', () => {
  const faults = new PeerFaults();
  assert.ok(faults.isNews(peer, 'wrong-ttl', 0));
  faults.recovered(peer);
  assert.ok(!faults.isNews(peer, 'wrong-ttl', peerFaultGapUs - 1), 'but not too often');
  assert.ok(faults.isNews(peer, 'wrong-ttl', peerFaultGapUs));
});

test('all is news again when that is said', () => {
  const faults = new PeerFaults();
  assert.ok(faults.isNews(peer, 'wrong-ttl', 0));
  faults.forget();
  assert.ok(faults.isNews(peer, 'wrong-ttl', 1));
});

test('the peer that was not heard for longest is forgotten when there are too many', () => {
  const faults = new PeerFaults();
  faults.isNews(peer, 'wrong-ttl', 0);
  faults.isNews(other, 'wrong-ttl', 0);
  faults.isNews(peer, 'wrong-ttl', 1);
  for (let count = 0; count < faultyPeersMax - 1; count += 1) {
    faults.isNews(`stranger ${count}`, 'wrong-ttl', 2);
  }
  assert.ok(!faults.isNews(peer, 'wrong-ttl', 3));
  assert.ok(faults.isNews(other, 'wrong-ttl', 3));
});
