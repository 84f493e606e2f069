/**
 * IP addresses and prefixes as canonical text.
 *
 * An address is kept as its canonical text (dotted quad, or RFC 5952 for IPv6) under a brand, so
 * that it is a map key, a JSON value and a log field as it stands, and equality is `===`.
 */
import { isIPv6 } from 'node:net';
import { WireError } from './wireError.js';

const dotCode = '.'.charCodeAt(0);
const zeroCode = '0'.charCodeAt(0);

declare const ipAddressBrand: unique symbol;

/** A canonical IPv4 or IPv6 address text. Made only by the functions of this file. */
export type IpAddress = string & { readonly [ipAddressBrand]: true };

/** Address family, by its version number. */
export type IpFamily = 4 | 6;

/** An address with the number of leading bits that name its network. */
export interface IpPrefix {
  readonly address: IpAddress;
  /** 0..32 for IPv4, 0..128 for IPv6. */
  readonly length: number;
}

/** Reads an address; `undefined` when the text is none. Zones (`%eth0`) are not accepted. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (isIpv4Text(text)) return text as IpAddress;
  if (text.includes('%') || !isIPv6(text)) return undefined;
  return ipFromBytes(ipv6TextToBytes(text));
}

/** Reads an address that the program itself wrote. Throws {@link WireError} when it is none. */
export function ipAddress(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new WireError('bad-value', `not an IP address: ${text}`);
  return address;
}

/** The family of an address. */
export function familyOf(address: IpAddress): IpFamily {
  return address.includes(':') ? 6 : 4;
}

/** The number of bits of an address of a family. */
export function bitsOf(family: IpFamily): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** The 4 or 16 bytes of an address, in network order. */
export function ipToBytes(address: IpAddress): Uint8Array {
  return address.includes(':') ? ipv6TextToBytes(address) : ipv4TextToBytes(address);
}

/** The address of 4 or 16 bytes in network order. Throws {@link WireError} on another length. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return bytes.join('.') as IpAddress;
  if (bytes.length !== 16) {
    throw new WireError('bad-length', `an IP address has 4 or 16 bytes, not ${bytes.length}`);
  }
  const groups: number[] = [];
  for (let offset = 0; offset < 16; offset += 2) {
    groups.push(((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0));
  }
  return ipv6GroupsToText(groups) as IpAddress;
}

/** Orders two addresses of one family as unsigned big-endian integers (RFC 9568, 6.4.3). */
export function compareIpAddresses(left: IpAddress, right: IpAddress): number {
  return Buffer.compare(ipToBytes(left), ipToBytes(right));
}

/** Whether an address is an IPv6 link-local one (fe80::/10). */
export function isLinkLocal(address: IpAddress): boolean {
  const [first = 0, second = 0] = ipToBytes(address);
  return familyOf(address) === 6 && first === 0xfe && (second & 0xc0) === 0x80;
}

/** Whether an address is that of a multicast group. */
export function isMulticastAddress(address: IpAddress): boolean {
  const first = ipToBytes(address)[0] ?? 0;
  return familyOf(address) === 4 ? first >> 4 === 0xe : first === 0xff;
}

/** Reads `address` or `address/length`; a missing length is the whole address. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/');
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = bitsOf(familyOf(address));
  if (slash < 0) return { address, length: bits };
  const lengthText = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(lengthText) || Number(lengthText) > bits) return undefined;
  return { address, length: Number(lengthText) };
}

/** Writes a prefix as `address/length`. */
export function formatIpPrefix(prefix: IpPrefix): string {
  return `${prefix.address}/${prefix.length}`;
}

/** Writes `address:port`, with brackets around an IPv6 address. */
export function formatEndpoint(address: IpAddress, port: number): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether a prefix's network contains an address; false across families. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (familyOf(prefix.address) !== familyOf(address)) return false;
  const network = ipToBytes(prefix.address);
  const candidate = ipToBytes(address);
  for (let bit = 0; bit < prefix.length; bit += 8) {
    const mask = prefix.length - bit >= 8 ? 0xff : (0xff << (8 - (prefix.length - bit))) & 0xff;
    const index = bit / 8;
    if (((network[index] ?? 0) & mask) !== ((candidate[index] ?? 0) & mask)) return false;
  }
  return true;
}

/** Writes the bytes of an address, in network order, to a place among others. */
export function writeIpBytes(address: IpAddress, target: Uint8Array, at: number): void {
  if (address.includes(':')) target.set(ipv6TextToBytes(address), at);
  else writeIpv4Bytes(address, target, at);
}

function ipv4TextToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  writeIpv4Bytes(text, bytes, 0);
  return bytes;
}

/** Four numbers up to 255 without leading zeros. By digits, as {@link writeIpv4Bytes}. */
function isIpv4Text(text: string): boolean {
  let dots = 0;
  let digits = 0;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === dotCode) {
      if (digits === 0) return false;
      dots += 1;
      digits = 0;
      value = 0;
      continue;
    }
    const digit = code - zeroCode;
    if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false;
    digits += 1;
    value = value * 10 + digit;
    if (value > 255) return false;
  }
  return dots === 3 && digits > 0;
}

/** Digit by digit, since a large table asks for tens of thousands. */
function writeIpv4Bytes(text: string, target: Uint8Array, start: number): void {
  let index = start;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === dotCode) {
      target[index] = value;
      index += 1;
      value = 0;
    } else value = value * 10 + code - zeroCode;
  }
  target[index] = value;
}

function ipv6TextToBytes(text: string): Uint8Array {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let hexText = text;
  if (dotted !== null) {
    const quad = (dotted[2] ?? '').split('.').map(Number);
    const high = ((quad[0] ?? 0) << 8) | (quad[1] ?? 0);
    const low = ((quad[2] ?? 0) << 8) | (quad[3] ?? 0);
    hexText = `${dotted[1]}${high.toString(16)}:${low.toString(16)}`;
  }
  const [head = '', tail] = hexText.split('::');
  const headGroups = head === '' ? [] : head.split(':');
  const tailGroups = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - headGroups.length - tailGroups.length;
  const groups = [...headGroups, ...Array<string>(gap).fill('0'), ...tailGroups];
  const bytes = new Uint8Array(16);
  for (const [index, group] of groups.entries()) {
    const value = Number.parseInt(group, 16);
    bytes[index * 2] = value >> 8;
    bytes[index * 2 + 1] = value & 0xff;
  }
  return bytes;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups shortened. */
function ipv6GroupsToText(groups: readonly number[]): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > bestLength) {
      bestStart = start;
      bestLength = length;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}
