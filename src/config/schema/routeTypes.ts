/** Types of routes and of rules of policy routing. */
import {
  familyOf,
  formatIpPrefix,
  type IpPrefix,
  ipAddress,
  ipToBytes,
  parseIpPrefix,
} from '../../wire/ipAddress.js';
import { describeValue } from '../problem.js';
import { Complaint, scalarType, type ValueType } from './definition.js';
import { integer } from './scalarTypes.js';

/** The greatest number of 32 bits. */
const unsigned32Max = 4_294_967_295;

/** The number of the main routing table (rtnetlink.h, RT_TABLE_MAIN). */
export const mainTable = 254;

/** Where a route leads: a network, or `default`. */
export const routeDestination: ValueType<IpPrefix> = scalarType(
  'network (`10.0.0.0/8`), `default`, or `::/0` for the default route of IPv6',
  (raw) => {
    if (raw === 'default') return { address: ipAddress('0.0.0.0'), length: 0 };
    return readNetwork(raw, ', or default,');
  },
);

/** A network of either family. */
export const network: ValueType<IpPrefix> = scalarType('network (`10.0.0.0/8`) or address', (raw) =>
  readNetwork(raw, ','),
);

/** Number of a routing table. */
export const routingTable = integer({ min: 1, max: unsigned32Max });

/** A firewall mark, with the bits of it that count. */
export interface MarkSelector {
  readonly value: number;
  readonly mask: number;
}

/** `66`, `0x42` or `0x40/0xf0`. */
export const markSelector: ValueType<MarkSelector> = scalarType(
  'firewall mark, perhaps with a mask (`66`, `0x40/0xf0`)',
  (raw) => {
    const match = /^(0x[0-9a-f]+|\d+)(?:\/(0x[0-9a-f]+|\d+))?$/i.exec(String(raw));
    const value = Number(match?.[1]);
    const mask = match?.[2] === undefined ? unsigned32Max : Number(match[2]);
    const isMark = typeof raw === 'string' || typeof raw === 'number';
    if (!isMark || match === null || value > unsigned32Max || mask > unsigned32Max) {
      return new Complaint(`must be a firewall mark such as 66, got ${describeValue(raw)}`);
    }
    if (mask !== 0 && (value & ~mask) === 0) return { value, mask };
    return new Complaint(`has bits that its mask leaves out, got ${raw}`);
  },
);

function readNetwork(raw: unknown, others: string): IpPrefix | Complaint {
  const prefix = typeof raw === 'string' ? parseIpPrefix(raw) : undefined;
  if (prefix === undefined) {
    const example = `such as 10.0.0.0/8${others}`;
    return new Complaint(`must be a network ${example} got ${describeValue(raw)}`);
  }
  const whole = networkOf(prefix);
  if (whole === undefined) return prefix;
  return new Complaint(`must be a network, got ${formatIpPrefix(prefix)}`, `write ${whole}`);
}

/** The network that a prefix with host bits is in; `undefined` when it has none. */
function networkOf({ address, length }: IpPrefix): string | undefined {
  const bytes = ipToBytes(address);
  const masked = bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, length - 8 * index));
    return byte & (0xff << (8 - bits));
  });
  if (masked.every((byte, index) => byte === bytes[index])) return undefined;
  const groups =
    familyOf(address) === 4
      ? [...masked].join('.')
      : Array.from({ length: 8 }, (_, group) =>
          (((masked[2 * group] ?? 0) << 8) | (masked[2 * group + 1] ?? 0)).toString(16),
        ).join(':');
  return formatIpPrefix({ address: ipAddress(groups), length });
}
