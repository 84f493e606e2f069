/** The kernel's IPVS connection table as text. */
import { readFileSync } from 'node:fs';
import { TandemError } from '../errors.js';

/**
 * Of the thread and not of the process: they may be in different network namespaces, and the table
 * is that of the namespace.
 */
const path = '/proc/thread-self/net/ip_vs_conn';

/**
 * All lines, the title first. Before Linux 6.14 the time that the kernel takes grows with the
 * square of the number of connections. Throws {@link TandemError} IPVS_UNAVAILABLE when the kernel
 * has no IPVS.
 */
export function readIpvsConnections(): readonly string[] {
  try {
    return readFileSync(path, 'latin1').trimEnd().split('\n');
  } catch (cause) {
    throw new TandemError('IPVS_UNAVAILABLE', `cannot read ${path}`, { cause });
  }
}
