/** What the C library does with memory that is free again. Only glibc has these settings. */
import { libc } from './systemCall.js';

/** Parameters of mallopt (malloc.h). */
const parameter = { trimThreshold: -1, arenaMax: -8 } as const;

/** Free memory at the end of an arena above this goes back to the kernel. */
const trimThresholdBytes = 65_536;
/** Main has one arena, and all other threads share one. */
const arenasMax = 2;

/**
 * Keeps what is free small. Each thread would have an arena of its own that keeps what its start
 * needed for good, and a process of Node has a dozen threads. Called before there are any.
 */
export function keepFreeMemorySmall(): void {
  libc.mallopt?.(parameter.arenaMax, arenasMax);
  libc.mallopt?.(parameter.trimThreshold, trimThresholdBytes);
}

/** Gives free memory back to the kernel, also what lies between memory in use. */
export function giveFreeMemoryBack(): void {
  libc.malloc_trim?.(0);
}
