import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { giveFreeMemoryBack, keepFreeMemorySmall } from '../../src/kernel/memoryAllocator.js';
import { until } from '../unit/health/support/waiting.js';

/** Below the size from which glibc maps each piece by itself, and gives it back by itself. */
const pieceBytes = 64 * 1024;
const pieces = 1_600;

test('free memory between memory in use goes back to the kernel', async () => {
  keepFreeMemorySmall();
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const held = Array.from({ length: pieces }, () => Buffer.alloc(pieceBytes, 1));
  const full = process.memoryUsage.rss();
  // Every eighth stays, so that nothing large is free at the end.
  const kept = held.filter((_, index) => index % 8 === 7);
  held.length = 0;
  collectGarbage();
  const wanted = (pieces * pieceBytes) / 2;
  await until(`${wanted} bytes to go back`, () => {
    // V8 frees the memory of buffers in the background.
    giveFreeMemoryBack();
    return full - process.memoryUsage.rss() > wanted;
  });
  assert.ok(kept.every((piece) => piece[0] === 1));
});
