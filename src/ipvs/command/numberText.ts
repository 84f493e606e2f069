/** Numbers and dotted addresses as the C library reads them. Pure. */
import { type IpAddress, ipFromBytes, parseIpAddress } from '../../wire/ipAddress.js';

/** What strtol(3) with base 10 takes whole: white space, a sign, digits. */
const integerPattern = /^[ \t\n\v\f\r]*([+-]?\d+)$/;

/**
 * Reads a whole text as a decimal integer of a range, as strtol(3) does: `010` is 10.
 * `undefined` when it is no number or out of the range.
 */
export function parseInteger(text: string, minimum: number, maximum: number): number | undefined {
  const digits = integerPattern.exec(text)?.[1];
  if (digits === undefined) return undefined;
  // -0 would be a second zero that no equality test tells from the first.
  const value = Number(digits) || 0;
  return value >= minimum && value <= maximum ? value : undefined;
}

/**
 * Reads an IPv4 address in every form that inet_aton(3) takes: one to four parts, each decimal,
 * octal or hexadecimal, of which the last fills the bytes that are left.
 */
export function parseLooseIpv4(text: string): IpAddress | undefined {
  // The common form first: a saved table has tens of thousands of them.
  const plain = text.includes(':') ? undefined : parseIpAddress(text);
  if (plain !== undefined) return plain;
  // inet_aton stops at white space and takes what it has by then.
  const parts = (/^[^ \t\n\v\f\r]*/.exec(text)?.[0] ?? '').split('.');
  if (parts.length > 4) return undefined;
  const values: number[] = [];
  for (const part of parts) {
    if (!/^(0[xX][0-9a-fA-F]+|\d+)$/.test(part)) return undefined;
    const isOctal = /^0\d/.test(part);
    if (isOctal && /[89]/.test(part)) return undefined;
    const value = isOctal ? Number.parseInt(part, 8) : Number(part);
    if (value > 0xffff_ffff) return undefined;
    values.push(value);
  }
  const last = values.pop() ?? 0;
  if (values.some((value) => value > 0xff)) return undefined;
  const lastBytes = 4 - values.length;
  if (last >= 256 ** lastBytes) return undefined;
  for (let index = lastBytes - 1; index >= 0; index -= 1) {
    values.push(Math.floor(last / 256 ** index) % 256);
  }
  return ipFromBytes(Uint8Array.from(values));
}

/** What atoi(3) makes of a text: its leading decimal number, or 0. */
export function leadingInteger(text: string): number {
  return Number(/^[ \t\n\v\f\r]*([+-]?\d+)/.exec(text)?.[1] ?? 0);
}
