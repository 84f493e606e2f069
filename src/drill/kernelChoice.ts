/** Where a lab runs: on the kernel of this machine, or in an embedded one. */
import { readFileSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { openIpvsTable } from '../kernel/ipvsTable.js';

/** Where a lab can run. */
export const kernelKinds = ['host', 'embedded'] as const;

/** A value of {@link kernelKinds}. */
export type KernelKind = (typeof kernelKinds)[number];

/** A choice, and why in one line. */
export interface KernelChoice {
  readonly kind: KernelKind;
  readonly reason: string;
  /** Whether it must be booted first; false inside it. */
  readonly boot: boolean;
}

/** What the choice depends on. */
export interface KernelFacts {
  readonly root: boolean;
  /** Whether this process may configure networks and make namespaces. */
  readonly privileged: boolean;
  readonly ipvs: boolean;
  /** Kernel release, for the reason. */
  readonly release: string;
  /** Whether this process already runs inside an embedded kernel. */
  readonly inside: boolean;
}

/**
 * Chooses, unless the user asked for one of the two. Throws `PERMISSION` or `IPVS_UNAVAILABLE`
 * when the one asked for cannot do.
 */
export function chooseKernel(facts: KernelFacts, wanted: KernelKind | undefined): KernelChoice {
  if (facts.inside) {
    return { kind: 'embedded', reason: 'this is the embedded kernel', boot: false };
  }
  if (wanted === 'host') demandHost(facts);
  if (wanted !== undefined) return choice(wanted, `asked for with --kernel ${wanted}`);
  if (!facts.root) return choice('embedded', 'not root, so the embedded kernel is used');
  if (!facts.privileged) {
    return choice(
      'embedded',
      'root without CAP_NET_ADMIN and CAP_SYS_ADMIN, so the embedded kernel is used',
    );
  }
  if (!facts.ipvs) {
    return choice(
      'embedded',
      `the running kernel ${facts.release} has no IPVS, so the embedded kernel is used`,
    );
  }
  return choice('host', `the running kernel ${facts.release} has IPVS`);
}

function demandHost(facts: KernelFacts): void {
  if (!facts.root || !facts.privileged) {
    throw new TandemError('PERMISSION', 'a lab on the running kernel needs root', {
      hint: 'Run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN, or use --kernel embedded.',
    });
  }
  if (!facts.ipvs) {
    throw new TandemError('IPVS_UNAVAILABLE', `the running kernel ${facts.release} has no IPVS`, {
      hint: 'Load it with `modprobe ip_vs`, or use --kernel embedded.',
    });
  }
}

function choice(kind: KernelKind, reason: string): KernelChoice {
  return { kind, reason, boot: kind === 'embedded' };
}

/** Capability numbers of `linux/capability.h`. */
const capNetAdmin = 12;
const capSysAdmin = 21;

/** Finds the facts of this machine. */
export async function readKernelFacts(): Promise<KernelFacts> {
  const root = process.geteuid?.() === 0;
  const capabilities = effectiveCapabilities();
  const has = (number: number): boolean => ((capabilities >> BigInt(number)) & 1n) === 1n;
  const privileged = has(capNetAdmin) && has(capSysAdmin);
  return {
    root,
    privileged,
    ipvs: root && privileged && (await hasIpvs()),
    release: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    inside: process.env.TANDEM_EMBEDDED === '1',
  };
}

function effectiveCapabilities(): bigint {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return BigInt(`0x${line?.[1] ?? '0'}`);
}

/** Asking for the netlink family makes the kernel load the module, where there is one. */
async function hasIpvs(): Promise<boolean> {
  try {
    const table = await openIpvsTable();
    table.close();
    return true;
  } catch {
    return false;
  }
}
