/** How many probes may run at once, by the descriptors that this process may open. */
import { readFileSync } from 'node:fs';
import { probesConcurrentMax } from './scheduler.js';

/** Descriptors that are left to the rest of the agent: sockets, netlink, files, the API. */
export const descriptorsReserved = 256;

/** What one probe may hold: its socket, and one more for a file or a pipe. */
const descriptorsPerProbe = 2;

/** Even a process that is short of descriptors probes a few servers at a time. */
export const probesConcurrentMin = 16;

/** The limit where the kernel does not tell one: what Linux grants unless told otherwise. */
const descriptorLimitDefault = 1_024;

/** The bound of each of some threads, never above {@link probesConcurrentMax}. */
export function concurrentProbes(descriptorLimit: number, threads: number): number {
  const share = (descriptorLimit - descriptorsReserved) / (descriptorsPerProbe * threads);
  return Math.min(probesConcurrentMax, Math.max(probesConcurrentMin, Math.floor(share)));
}

/** The soft limit of open files of this process (proc(5), `/proc/self/limits`). */
export function readDescriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? descriptorLimitDefault : Number(soft);
}
