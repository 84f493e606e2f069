/** Addresses as the C library writes them (inet_ntop), and so ipvsadm. */
import { familyOf, formatEndpoint, type IpAddress, ipToBytes } from '../../wire/ipAddress.js';

/**
 * Writes an address. An IPv6 address that carries an IPv4 address, mapped or compatible
 * (RFC 4291, 2.5.5), ends in that one's dotted form; our own form of it is hexadecimal.
 */
export function addressAsText(address: IpAddress): string {
  if (familyOf(address) === 4) return address;
  const bytes = ipToBytes(address);
  const groups = Array.from({ length: 6 }, (_, index) => groupAt(bytes, index));
  const mapped = groups[5] === 0xffff;
  const isCarrier = groups.slice(0, 5).every((group) => group === 0) && (mapped || groups[5] === 0);
  // With a seventh group of zero the run of zeros is longer, and the last group stands alone.
  if (!isCarrier || (!mapped && groupAt(bytes, 6) === 0)) return address;
  return `::${mapped ? 'ffff:' : ''}${bytes.subarray(12).join('.')}`;
}

/** Writes `address:port` in numbers, with brackets around an IPv6 address. */
export function endpointAsText(address: IpAddress, port: number): string {
  const text = addressAsText(address);
  return text.includes(':') ? `[${text}]:${port}` : formatEndpoint(address, port);
}

function groupAt(bytes: Uint8Array, index: number): number {
  return ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0);
}
