/** Waiting for a condition with a generous deadline, never for a fixed time. */
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves once the condition holds; rejects when it does not within the deadline. */
export async function until(
  what: string,
  condition: () => boolean,
  deadlineMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(5);
  }
}

/** Sockets that this process has open, in all of its threads. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
    } catch {
      // The descriptor that listed the folder is gone again.
      return false;
    }
  }).length;
}
