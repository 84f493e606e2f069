/** Types of network values: addresses, prefixes, interfaces, listeners, server endpoints. */
import {
  bitsOf,
  familyOf,
  formatIpPrefix,
  type IpAddress,
  type IpPrefix,
  ipToBytes,
  parseIpAddress,
  parseIpPrefix,
} from '../../wire/ipAddress.js';
import type { IpvsProtocol } from '../../wire/ipvsModel.js';
import { closestWord } from '../closestWord.js';
import { describeValue } from '../problem.js';
import { Complaint, scalarType, type ValueType } from './definition.js';
import { notText, text } from './scalarTypes.js';

/** Where a virtual service listens, as it is written: `tcp://172.25.254.100:80`. */
export interface Listener {
  readonly protocol: IpvsProtocol;
  readonly address: IpAddress;
  /** 0 when none was given: every port. */
  readonly port: number;
}

/** Where a real server is. */
export interface ServerEndpoint {
  readonly address: IpAddress;
  /** Absent: the listener's. */
  readonly port?: number;
}

/** Names of network interfaces as the kernel takes them (at most 15 bytes, no slash or space). */
export const interfaceName: ValueType<string> = text({
  description: 'name of a network interface',
  pattern: /^(?!\.{1,2}$)[!-.0-~]{1,15}$/,
  expected: 'the name of a network interface (1 to 15 characters, without space or slash)',
});

/** An IPv4 address that a machine may have. */
export const hostIpv4Address: ValueType<IpAddress> = scalarType('IPv4 address', (raw) => {
  const address = readAddress(raw);
  if (address instanceof Complaint) return address;
  return unusableAsHost(address) ?? mustBeIpv4(address) ?? address;
});

/** An address of either family that a machine may have. */
export const hostAddress: ValueType<IpAddress> = scalarType('IP address', (raw) => {
  const address = readAddress(raw);
  if (address instanceof Complaint) return address;
  return unusableAsHost(address) ?? address;
});

/** A multicast group of either family. */
export const multicastGroup: ValueType<IpAddress> = scalarType('multicast address', (raw) => {
  const address = readAddress(raw);
  if (address instanceof Complaint || isMulticast(address)) return address;
  return new Complaint(`must be a multicast address, got ${address}`, 'for example 224.0.0.81');
});

/** A virtual address with its prefix length; without one it is the address alone. */
export const virtualPrefix: ValueType<IpPrefix> = scalarType(
  'IP address with prefix length (`172.25.254.100/24`; without one it is the address alone)',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    const prefix = parseIpPrefix(raw);
    if (prefix === undefined) {
      const example = 'such as 172.25.254.100/24';
      return new Complaint(
        `must be an IP address with a prefix length ${example}, got ${describeValue(raw)}`,
      );
    }
    const complaint = unusableAsHost(prefix.address);
    if (complaint !== undefined) return complaint;
    if (prefix.length === 0) return new Complaint(`must not have prefix length 0, got ${raw}`);
    return namesNetwork(prefix) ?? prefix;
  },
);

/** `tcp://address:port`, `udp://[v6]:port`, `sctp://address` for every port. */
export const listener: ValueType<Listener> = scalarType(
  '`tcp://`, `udp://` or `sctp://`, then address and port; without port: every port',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    const match = /^([^/:[\]]+):\/\/(.*)$/.exec(raw);
    const protocols = ['tcp', 'udp', 'sctp'] as const;
    const protocol = protocols.find((name) => name === match?.[1]);
    if (match === null || protocol === undefined) {
      // A protocol with too few slashes behind it is a protocol all the same.
      const shortened = /^(tcp|udp|sctp|[a-z]+(?=:?\/))[:/]+(.*)$/i;
      const [, word = '', rest = raw] = match ?? shortened.exec(raw) ?? [];
      const meant = closestWord(word, protocols) ?? 'tcp';
      return new Complaint(
        `must start with tcp://, udp:// or sctp://, got ${describeValue(raw)}`,
        `for example ${meant}://${rest}`,
      );
    }
    const endpoint = readEndpoint(match[2] ?? '', `${protocol}://`);
    if (endpoint instanceof Complaint) return endpoint;
    if (endpoint.port === 0) {
      return new Complaint('port 0 is not a port', 'leave the port out to serve every port');
    }
    return { protocol, address: endpoint.address, port: endpoint.port ?? 0 };
  },
);

/** `address:port`, `[v6]:port`, or the address alone. */
export const serverEndpoint: ValueType<ServerEndpoint> = scalarType(
  'address, with or without port (`192.168.0.10:80`, `[2001:db8::10]:80`)',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    if (raw.includes('://')) {
      const bare = raw.slice(raw.indexOf('://') + 3);
      return new Complaint(`must be an address without protocol, got ${raw}`, `write ${bare}`);
    }
    const endpoint = readEndpoint(raw, '');
    if (endpoint instanceof Complaint || endpoint.port !== 0) return endpoint;
    return new Complaint('port 0 is not a port', "leave the port out to use the listener's");
  },
);

/** Where this machine listens: an address of its own and a port, both needed. */
export const listenEndpoint: ValueType<Required<ServerEndpoint>> = scalarType(
  'address and port (`127.0.0.1:9112`, `[::1]:9112`)',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    const endpoint = readEndpoint(raw, '');
    if (endpoint instanceof Complaint) return endpoint;
    const { address, port = 0 } = endpoint;
    if (port !== 0) return { address, port };
    return new Complaint(`must have a port from 1 to 65535, got ${raw}`, `for example ${raw}:9112`);
  },
);

/** A dotted IPv4 netmask, as its prefix length. */
export const netmask: ValueType<number> = scalarType('IPv4 netmask (`255.255.255.0`)', (raw) => {
  const address = typeof raw === 'string' ? parseIpAddress(raw) : undefined;
  if (address === undefined || familyOf(address) !== 4) {
    return new Complaint(
      `must be a dotted IPv4 netmask such as 255.255.255.0, got ${describeValue(raw)}`,
      'for IPv6 use prefixLength',
    );
  }
  const bits = [...ipToBytes(address)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const length = bits.indexOf('0') < 0 ? 32 : bits.indexOf('0');
  if (!bits.slice(length).includes('1')) return length;
  return new Complaint(`must have all its ones before its zeros, got ${address}`);
});

/** Whether an address is one of a multicast group. */
export function isMulticast(address: IpAddress): boolean {
  const first = ipToBytes(address)[0] ?? 0;
  return familyOf(address) === 4 ? first >= 224 && first < 240 : first === 0xff;
}

function readAddress(raw: unknown): IpAddress | Complaint {
  if (typeof raw !== 'string') return notText(raw);
  const address = parseIpAddress(raw);
  if (address !== undefined) return address;
  const prefix = parseIpPrefix(raw);
  const hint = prefix === undefined ? undefined : `write ${prefix.address}`;
  return new Complaint(`must be an IP address, got ${describeValue(raw)}`, hint);
}

function readEndpoint(endpoint: string, before: string): ServerEndpoint | Complaint {
  // An IPv6 address has two colons at least; asking whether a text is one takes long.
  const isPlain = endpoint.indexOf(':') === endpoint.lastIndexOf(':');
  const bare = isPlain ? undefined : parseIpAddress(endpoint);
  if (bare !== undefined && familyOf(bare) === 6) {
    const hint = `write ${before}[${bare}] or ${before}[${bare}]:80`;
    return new Complaint('an IPv6 address needs brackets here', hint);
  }
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(endpoint);
  const address = parseIpAddress(match?.[1] ?? match?.[2] ?? '');
  const bracketed = match?.[1] !== undefined;
  if (match === null || address === undefined || bracketed !== (familyOf(address) === 6)) {
    const wanted = 'must have an IP address and perhaps a port';
    return new Complaint(
      `${wanted}, got ${describeValue(before + endpoint)}`,
      `for example ${before}192.168.0.10:80; names are not looked up`,
    );
  }
  const complaint = unusableAsHost(address);
  if (complaint !== undefined) return complaint;
  const portText = match[3];
  if (portText === undefined) return { address };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65535)) {
    return new Complaint(`must have a port from 1 to 65535, got ${portText.slice(0, 20)}`);
  }
  return { address, port };
}

function unusableAsHost(address: IpAddress): Complaint | undefined {
  const bytes = ipToBytes(address);
  if (bytes.every((byte) => byte === 0)) {
    return new Complaint(`must be one address, got ${address} which stands for every address`);
  }
  if (isMulticast(address)) return new Complaint(`must not be a multicast address, got ${address}`);
  if (address === '255.255.255.255') {
    return new Complaint(`must not be the broadcast address, got ${address}`);
  }
  return undefined;
}

/** A node is known by its IPv4 address; its IPv6 addresses are found on its interface. */
function mustBeIpv4(address: IpAddress): Complaint | undefined {
  if (familyOf(address) === 4) return undefined;
  return new Complaint(
    `must be an IPv4 address, got ${address}`,
    'a node is known by its IPv4 address; virtual routers take both families',
  );
}

/**
 * A prefix whose host bits are all zero is the network's own, or the anycast address of its routers
 * (RFC 4291, 2.6.1); one whose host bits are all one is the broadcast address of IPv4.
 */
function namesNetwork(prefix: IpPrefix): Complaint | undefined {
  const hostBits = bitsOf(familyOf(prefix.address)) - prefix.length;
  if (hostBits < 2) return undefined;
  const bits = [...ipToBytes(prefix.address)].map((byte) => byte.toString(2).padStart(8, '0'));
  const host = bits.join('').slice(prefix.length);
  if (host.includes('0') && host.includes('1')) return undefined;
  if (host.includes('1') && familyOf(prefix.address) === 6) return undefined;
  const what = host.includes('1') ? 'broadcast address' : 'address of the network itself';
  return new Complaint(
    `must be the address of a host, got ${formatIpPrefix(prefix)} which is the ${what}`,
  );
}
