/** What this process may do (capabilities(7)). */
import { readFileSync } from 'node:fs';

/** Bits of the capabilities that are asked about (capability.h). */
const bits = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n, CAP_SYS_ADMIN: 21n } as const;

/** The name of a capability. */
export type CapabilityName = keyof typeof bits;

/** Whether the calling thread has a capability in effect. */
export function hasCapability(name: CapabilityName): boolean {
  const status = readFileSync('/proc/thread-self/status', 'latin1');
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return ((mask >> bits[name]) & 1n) === 1n;
}
