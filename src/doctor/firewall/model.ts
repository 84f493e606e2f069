/** What a firewall does to packets, whoever wrote its rules, as values. */
import type { IpAddress, IpFamily, IpPrefix } from '../../wire/ipAddress.js';

/** Where in the path of a packet a chain is called (netfilter.h, NF_INET_*). */
export type FirewallHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** What connection tracking makes of a packet. */
export type TrackingState = 'new' | 'established' | 'related' | 'invalid' | 'untracked';

/** Numbers from the first to the last, both included. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** One test of a rule. `negated`: it holds for everything else. */
export type RuleCondition = { readonly negated: boolean } & (
  | { readonly kind: 'family'; readonly families: readonly IpFamily[] }
  /** Protocol numbers. */
  | { readonly kind: 'protocol'; readonly protocols: readonly number[] }
  | { readonly kind: 'source' | 'destination'; readonly prefixes: readonly IpPrefix[] }
  | {
      readonly kind: 'source-port' | 'destination-port';
      readonly ports: readonly NumberRange[];
    }
  /** Names; `eth+` and `eth*` are all that begin so. */
  | { readonly kind: 'in-interface' | 'out-interface'; readonly names: readonly string[] }
  | { readonly kind: 'state'; readonly states: readonly TrackingState[] }
  /** Something that is not understood here: it may hold or not. */
  | { readonly kind: 'unknown' }
);

/** What becomes of a packet that a rule matches. */
export type RuleVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** It may end the walk in a way that is not understood here. */
  | { readonly kind: 'unknown' };

/** One rule. */
export interface RuleFact {
  /** As its own tool prints it. */
  readonly text: string;
  readonly conditions: readonly RuleCondition[];
  readonly verdict: RuleVerdict;
  /** How many packets it has met; absent where nobody counts. */
  readonly packets?: number;
}

/** One chain. */
export interface ChainFact {
  /** What holds its table: `iptables`, `ip6tables`, `nftables`... */
  readonly program: string;
  /** Its table, as the tool names it: `filter`, `inet filter`. */
  readonly table: string;
  readonly name: string;
  readonly families: readonly IpFamily[];
  /** Set for a chain that the kernel calls; the others are reached by jumps. */
  readonly base?: {
    readonly hook: FirewallHook;
    readonly priority: number;
    readonly policy: 'accept' | 'drop';
    /** Packets that met the policy; absent where nobody counts. */
    readonly policyPackets?: number;
  };
  readonly rules: readonly RuleFact[];
}

/** A packet on its way, as far as it is known; what is absent may be anything. */
export interface WalkedPacket {
  readonly family: IpFamily;
  readonly protocol: number;
  readonly source?: IpAddress;
  readonly destination?: IpAddress;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly inInterface?: string;
  readonly outInterface?: string;
  readonly state: TrackingState;
}
