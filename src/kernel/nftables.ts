/**
 * Our rules in nftables: one table, one chain for each set and place. Pure: scripts for `nft -f -`
 * go out, what `nft --json list table` prints comes in. A script is one transaction of the kernel.
 */
import { familyOf, type IpPrefix } from '../wire/ipAddress.js';
import {
  type FirewallPlace,
  type FirewallRule,
  type FirewallRuleSet,
  firewallPlaces,
  type PortRange,
  prefixText,
  rulesAt,
} from './firewallModel.js';

/** The table that is ours; nothing outside of it is touched. */
export const nftTable = 'inet tandem';

/** What the chains hook into; the numbers are NF_IP_PRI_MANGLE, _FILTER and _NAT_SRC. */
const hooks: Readonly<Record<FirewallPlace, string>> = {
  prerouting: 'type filter hook prerouting priority -150; policy accept;',
  output: 'type filter hook output priority 0; policy accept;',
  postrouting: 'type nat hook postrouting priority 100; policy accept;',
};

/** The chain of a set at a place. */
export function nftChainName(setName: string, place: FirewallPlace): string {
  return `${setName}-${place}`;
}

/**
 * The script that puts a set where it was or was not, and takes away the chains that it has no
 * rules for. `present` are the chains of the set that are there.
 */
export function nftReplaceScript(set: FirewallRuleSet, present: readonly string[]): string {
  const lines = [`add table ${nftTable}`];
  for (const place of firewallPlaces) {
    const name = nftChainName(set.name, place);
    const rules = rulesAt(set, place);
    if (rules.length === 0) {
      if (present.includes(name)) {
        lines.push(`flush chain ${nftTable} ${name}`, `delete chain ${nftTable} ${name}`);
      }
      continue;
    }
    lines.push(`add chain ${nftTable} ${name} { ${hooks[place]} }`);
    lines.push(`flush chain ${nftTable} ${name}`);
    lines.push(...rules.map((rule) => `add rule ${nftTable} ${name} ${nftRule(rule)}`));
  }
  return `${lines.join('\n')}\n`;
}

/** The script that takes the table away. */
export const nftDeleteTableScript = `delete table ${nftTable}\n`;

/** One rule in the language of nft. */
export function nftRule(rule: FirewallRule): string {
  switch (rule.kind) {
    case 'mark': {
      const { protocol, ports, mark, destination } = rule;
      const what =
        ports === undefined ? `meta l4proto ${protocol}` : `${protocol} dport ${rangeText(ports)}`;
      return `${address('daddr', destination)} ${what} meta mark set ${mark}`;
    }
    case 'sender-only':
      // Packets of the kernel itself belong to no file, so that they match no `skuid` at all.
      return (
        `meta nfproto ipv${rule.family} oifname "${rule.interface}" udp dport ${rule.port} ` +
        `meta skuid != ${rule.userId} drop`
      );
    case 'masquerade': {
      const way = rule.interface === undefined ? '' : ` oifname "${rule.interface}"`;
      return `${address('saddr', rule.source)}${way} masquerade`;
    }
  }
}

function rangeText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function address(field: 'saddr' | 'daddr', prefix: IpPrefix): string {
  const family = familyOf(prefix.address) === 4 ? 'ip' : 'ip6';
  return `${family} ${field} ${prefixText(prefix)}`;
}

/** What the kernel has of our table: every chain with its rules, as comparable text. */
export type NftListing = ReadonlyMap<string, string>;

/**
 * Reads `nft --json --handle list table`. Handles are part of the text, so that a rule that was
 * taken out and put in again counts as changed. Throws `SyntaxError` when it is not JSON.
 */
export function readNftListing(json: string): NftListing {
  const { nftables = [] } = JSON.parse(json) as { readonly nftables?: readonly NftEntry[] };
  const chains = new Map<string, string>();
  for (const entry of nftables) {
    if (entry.chain !== undefined) {
      chains.set(entry.chain.name, JSON.stringify(entry.chain));
    } else if (entry.rule !== undefined) {
      const { chain } = entry.rule;
      chains.set(chain, `${chains.get(chain) ?? ''}\n${JSON.stringify(entry.rule)}`);
    }
  }
  return chains;
}

interface NftEntry {
  readonly chain?: { readonly name: string };
  readonly rule?: { readonly chain: string };
}
