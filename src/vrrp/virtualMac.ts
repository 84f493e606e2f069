/**
 * What the macvlan of a virtual MAC address is called, and the note that it carries. Pure.
 *
 * The note is the link's alias. It says that the device is Tandem's and how the kernel parameters
 * of its base were before, so that whoever takes the device away can put them back: another
 * process after a crash as well. Like the device and the parameters, it does not outlive a reboot.
 */
import type { IpFamily } from '../wire/ipAddress.js';

/** A longer name is refused by the kernel (if.h, IFNAMSIZ). */
const linkNameBytesMax = 15;

/** Kernel parameters of the base interface that a virtual MAC address changes. */
export const baseParameters = ['arp_ignore', 'arp_announce'] as const;

/** A name of {@link baseParameters}. */
export type BaseParameter = (typeof baseParameters)[number];

/** What is noted on a device. */
export interface DeviceNote {
  /** Whether somebody else made the device, so that it stays when it is not needed any more. */
  readonly adopted: boolean;
  /** Name of the interface that it is on. */
  readonly base: string;
  /** The parameters of the base as they were before. */
  readonly before: Readonly<Record<BaseParameter, number>>;
}

/**
 * The name of the macvlan of a virtual router, unless one is configured: `vrrp.51.eth0`, and
 * `vrrp6.51.eth0` for IPv6. Where that is too long a hash stands for the base, so that the name is
 * unique for the base, the identifier and the family, and the same after every start.
 */
export function virtualMacInterfaceName(family: IpFamily, vrid: number, base: string): string {
  const head = `vrrp${family === 6 ? '6' : ''}.${vrid}.`;
  const name = `${head}${base}`;
  return Buffer.byteLength(name) <= linkNameBytesMax ? name : `${head}${shortHash(base)}`;
}

/** The alias that carries a note. */
export function formatDeviceNote({ adopted, base, before }: DeviceNote): string {
  const values = baseParameters.map((parameter) => `${parameter}=${before[parameter]}`);
  return ['tandem', ...(adopted ? ['adopted'] : []), `base=${base}`, ...values].join(' ');
}

/** Reads an alias; `undefined` when it is not one of ours. */
export function parseDeviceNote(alias: string | undefined): DeviceNote | undefined {
  const match = /^tandem( adopted)? base=(\S+) arp_ignore=(\d+) arp_announce=(\d+)$/.exec(
    alias ?? '',
  );
  const base = match?.[2];
  if (match === null || base === undefined) return undefined;
  return {
    adopted: match[1] !== undefined,
    base,
    before: { arp_ignore: Number(match[3]), arp_announce: Number(match[4]) },
  };
}

/** Four hexadecimal digits (FNV-1a, folded), which fit behind the longest head. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return ((hash >>> 16) ^ (hash & 0xffff)).toString(16).padStart(4, '0');
}
