/** Firewall rules of our own, as values; `nftables.ts` and `iptables.ts` write them down. */
import type { IpFamily, IpPrefix } from '../wire/ipAddress.js';
import type { IpvsProtocol } from '../wire/ipvsModel.js';

/** Ports from the first to the last, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** One rule. */
export type FirewallRule =
  /** Gives packets that arrive for an address a mark, before IPVS looks for its service. */
  | {
      readonly kind: 'mark';
      readonly protocol: IpvsProtocol;
      readonly destination: IpPrefix;
      /** Absent: every port. */
      readonly ports?: PortRange;
      /** 1 to 4294967295. */
      readonly mark: number;
    }
  /** On an interface, nobody but one user and the kernel itself may send to a UDP port. */
  | {
      readonly kind: 'sender-only';
      readonly family: IpFamily;
      readonly interface: string;
      readonly port: number;
      readonly userId: number;
    }
  /** Connections from a network leave with the address of the interface that they leave by. */
  | {
      readonly kind: 'masquerade';
      readonly source: IpPrefix;
      /** Absent: whatever interface they leave by. */
      readonly interface?: string;
    };

/** Rules that come and go together. */
export interface FirewallRuleSet {
  /** Lower-case letters, at most 10, since the name of an iptables chain has little room. */
  readonly name: string;
  /** In the order in which packets meet them. None: the set is removed. */
  readonly rules: readonly FirewallRule[];
}

/** Where in the path of a packet a rule stands. */
export type FirewallPlace = 'prerouting' | 'output' | 'postrouting';

/** Every place, in the order of the packet's path. */
export const firewallPlaces: readonly FirewallPlace[] = ['prerouting', 'output', 'postrouting'];

/** The place that a kind of rules belongs to. */
export const placeOfRule = {
  mark: 'prerouting',
  'sender-only': 'output',
  masquerade: 'postrouting',
} as const satisfies Record<FirewallRule['kind'], FirewallPlace>;

/** The rules of a set that stand at a place. */
export function rulesAt(set: FirewallRuleSet, place: FirewallPlace): readonly FirewallRule[] {
  return set.rules.filter((rule) => placeOfRule[rule.kind] === place);
}

/** A prefix with its host bits kept as written: `192.0.2.0/24`, without length for one address. */
export function prefixText({ address, length }: IpPrefix): string {
  const whole = address.includes(':') ? 128 : 32;
  return length === whole ? address : `${address}/${length}`;
}
