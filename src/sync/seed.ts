/** Reads our kernel's table once, at the start: what was there before the agent. */
import { open } from 'node:fs/promises';
import { encodeSyncEntry } from '../wire/syncMessage.js';
import { entryOfRow, type SeedService } from './procConnections.js';

/**
 * How long it is read, in milliseconds. The file costs the square of its length before Linux 6.14,
 * and it is the peer that knows the rest.
 */
const readTimeMaxMs = 30_000;

/** How much is read at a time, in bytes. */
const pieceBytes = 64 * 1024;

/** Calls `visit` for every connection that can be told. The namespace of the process counts. */
export async function readKernelTable(
  services: readonly SeedService[],
  visit: (entry: Uint8Array) => void,
): Promise<{ readonly entries: number; readonly finished: boolean }> {
  const deadlineMs = performance.now() + readTimeMaxMs;
  let entries = 0;
  let rest = '';
  const file = await open('/proc/net/ip_vs_conn', 'r');
  try {
    const buffer = Buffer.alloc(pieceBytes);
    while (performance.now() < deadlineMs) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return { entries, finished: true };
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const entry = entryOfRow(line, services);
        if (entry === undefined) continue;
        visit(encodeSyncEntry(entry));
        entries += 1;
      }
    }
    return { entries, finished: false };
  } finally {
    await file.close();
  }
}
