/** Reads `address[:port]` as ipvsadm does. Pure, but for the names that the caller looks up. */
import { type IpAddress, parseIpAddress } from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';
import type { NameLookup } from './names.js';
import { parseInteger, parseLooseIpv4 } from './numberText.js';

/** An address, and a port if the text has one. */
export interface EndpointText {
  readonly address: IpAddress;
  readonly port: number | undefined;
}

/**
 * Reads an endpoint: `10.0.0.1:80`, `[2001:db8::1]:80`, `2001:db8::1` without a port, and for IPv4
 * names of hosts and of the services of a protocol. `undefined` when it is none of these.
 */
export function parseEndpoint(
  text: string,
  protocol: IpvsProtocol | undefined,
  names: NameLookup,
): EndpointText | undefined {
  // A number alone is nearly always a port whose address was forgotten.
  if (/^\d*$/.test(text)) return undefined;
  const bracketed = /^\[([^\]]*)\]:(.*)$/s.exec(text);
  if (bracketed !== null) {
    const inner = bracketed[1] ?? '';
    const six = inner.includes(':') ? parseIpAddress(inner) : undefined;
    const address = six ?? parseLooseIpv4(inner) ?? names.addressOf(inner);
    return address && withPort(address, bracketed[2] ?? '', protocol, names);
  }
  if (text.startsWith('[')) return undefined;
  const plain = text.includes(':') ? parseIpAddress(text) : undefined;
  if (plain !== undefined) return { address: plain, port: undefined };
  const colon = text.lastIndexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  const address = parseLooseIpv4(host) ?? (host === '' ? undefined : names.addressOf(host));
  if (address === undefined) return undefined;
  if (colon < 0) return { address, port: undefined };
  return withPort(address, text.slice(colon + 1), protocol, names);
}

function withPort(
  address: IpAddress,
  text: string,
  protocol: IpvsProtocol | undefined,
  names: NameLookup,
): EndpointText | undefined {
  const number = parseInteger(text, 0, 0xffff);
  const port = number ?? (protocol === undefined ? undefined : names.portOf(text, protocol));
  return port === undefined ? undefined : { address, port };
}
