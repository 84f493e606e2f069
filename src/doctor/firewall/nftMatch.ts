/** One match of an nftables rule as a condition. Pure. */
import { type IpPrefix, parseIpPrefix } from '../../wire/ipAddress.js';
import { isTrackingState } from './iptablesText.js';
import type { NumberRange, RuleCondition } from './model.js';
import { protocolNumber } from './protocols.js';

/** What JSON can hold. */
export type NftValue =
  | string
  | number
  | boolean
  | null
  | readonly NftValue[]
  | { readonly [name: string]: NftValue };

/** An object; `undefined` for everything else. */
export function record(
  value: NftValue | undefined,
): Readonly<Record<string, NftValue>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, NftValue>>;
}

/**
 * The conditions of a `match`; unknown where it is not about what is known of a packet. A look into
 * a header holds only for packets that have one, which nft does not write down.
 */
export function nftConditions(match: Readonly<Record<string, NftValue>>): readonly RuleCondition[] {
  const header = record(record(match.left)?.payload)?.protocol;
  const condition = nftCondition(match);
  if (header === 'ip') return [{ negated: false, kind: 'family', families: [4] }, condition];
  if (header === 'ip6') return [{ negated: false, kind: 'family', families: [6] }, condition];
  const number = typeof header === 'string' ? protocolNumber(header) : undefined;
  if (number === undefined) return [condition];
  return [{ negated: false, kind: 'protocol', protocols: [number] }, condition];
}

function nftCondition(match: Readonly<Record<string, NftValue>>): RuleCondition {
  const negated = match.op === '!=';
  const unknown: RuleCondition = { negated, kind: 'unknown' };
  if (!['==', 'in', '!='].includes(String(match.op))) return unknown;
  const values = valuesOf(match.right);
  const subject = subjectOf(record(match.left) ?? {});
  switch (subject) {
    case 'in-interface':
    case 'out-interface': {
      const names = values.filter((value) => typeof value === 'string');
      return names.length === values.length ? { negated, kind: subject, names } : unknown;
    }
    case 'protocol': {
      const protocols = values.map((value) => protocolNumber(String(value)));
      const known = protocols.filter((number) => number !== undefined);
      return known.length === values.length
        ? { negated, kind: subject, protocols: known }
        : unknown;
    }
    case 'family': {
      const families = values.flatMap((value) => {
        if (value === 'ipv4') return [4 as const];
        return value === 'ipv6' ? [6 as const] : [];
      });
      return families.length === values.length ? { negated, kind: subject, families } : unknown;
    }
    case 'state': {
      const states = values.map(String);
      return states.every(isTrackingState) ? { negated, kind: subject, states } : unknown;
    }
    case 'source':
    case 'destination': {
      const prefixes = values.map(prefixOf).filter((prefix) => prefix !== undefined);
      return prefixes.length === values.length ? { negated, kind: subject, prefixes } : unknown;
    }
    case 'source-port':
    case 'destination-port': {
      const ports = values.map(rangeOf).filter((range) => range !== undefined);
      return ports.length === values.length ? { negated, kind: subject, ports } : unknown;
    }
    case undefined:
      return unknown;
  }
}

type Subject = Exclude<RuleCondition['kind'], 'unknown'>;

const metaSubjects: Readonly<Record<string, Subject>> = {
  iifname: 'in-interface',
  iif: 'in-interface',
  oifname: 'out-interface',
  oif: 'out-interface',
  l4proto: 'protocol',
  nfproto: 'family',
};

const payloadSubjects: Readonly<Record<string, Subject>> = {
  saddr: 'source',
  daddr: 'destination',
  sport: 'source-port',
  dport: 'destination-port',
  protocol: 'protocol',
  nexthdr: 'protocol',
};

function subjectOf(left: Readonly<Record<string, NftValue>>): Subject | undefined {
  const meta = record(left.meta);
  if (meta !== undefined) return own(metaSubjects, String(meta.key));
  if (record(left.ct)?.key === 'state') return 'state';
  const payload = record(left.payload);
  return payload === undefined ? undefined : own(payloadSubjects, String(payload.field));
}

function own(table: Readonly<Record<string, Subject>>, key: string): Subject | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** A set, a list or a single value as a list. */
function valuesOf(right: NftValue | undefined): readonly NftValue[] {
  const set = record(right)?.set;
  if (Array.isArray(set)) return set;
  if (Array.isArray(right)) return right;
  return right === undefined ? [] : [right as NftValue];
}

function prefixOf(value: NftValue): IpPrefix | undefined {
  if (typeof value === 'string') return parseIpPrefix(value);
  const prefix = record(record(value)?.prefix);
  return prefix === undefined ? undefined : parseIpPrefix(`${prefix.addr}/${prefix.len}`);
}

function rangeOf(value: NftValue): NumberRange | undefined {
  if (typeof value === 'number') return { first: value, last: value };
  const range = record(value)?.range;
  if (!Array.isArray(range)) return undefined;
  const [first, last] = range;
  return typeof first === 'number' && typeof last === 'number' ? { first, last } : undefined;
}
