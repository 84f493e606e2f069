/**
 * Our rules in iptables: for each set and place one chain of our own, and one jump to it from the
 * chain of the system. Pure: input of iptables-restore goes out, output of iptables-save comes in.
 * One table of one restore is one transaction of the kernel.
 */
import { familyOf, type IpFamily } from '../wire/ipAddress.js';
import {
  type FirewallPlace,
  type FirewallRule,
  type FirewallRuleSet,
  prefixText,
  rulesAt,
} from './firewallModel.js';

/** What stands for a place in iptables. `first`: the jump goes before all other rules. */
const places = {
  prerouting: { table: 'mangle', hook: 'PREROUTING', suffix: 'PRE', first: true },
  output: { table: 'filter', hook: 'OUTPUT', suffix: 'OUT', first: true },
  postrouting: { table: 'nat', hook: 'POSTROUTING', suffix: 'POST', first: false },
} as const satisfies Record<FirewallPlace, object>;

/** The largest user id; -1 stands for nobody. */
const userIdMax = 0xffff_fffe;

/** The table that a place is in. */
export function iptablesTable(place: FirewallPlace): string {
  return places[place].table;
}

/** The chain of a set at a place. */
export function iptablesChainName(setName: string, place: FirewallPlace): string {
  return `TANDEM-${setName.toUpperCase()}-${places[place].suffix}`;
}

/**
 * What a table has of a chain: the chain, the jumps to it and its rules, one line each. `saved` is
 * the output of `iptables-save -t TABLE`; counters are left out.
 */
export function savedLinesOf(saved: string, chain: string): readonly string[] {
  return saved
    .split('\n')
    .filter((line) => line.split(' ').some((word) => word === chain || word === `:${chain}`))
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
}

/**
 * Input for `iptables-restore --noflush` that puts the rules of one family at one place, or takes
 * the chain away when the set has none. `lines` are those of {@link savedLinesOf}; `undefined`
 * when there is nothing to do.
 */
export function iptablesReplaceInput(
  set: FirewallRuleSet,
  place: FirewallPlace,
  family: IpFamily,
  lines: readonly string[],
): string | undefined {
  const { table, hook, first } = places[place];
  const chain = iptablesChainName(set.name, place);
  const rules = rulesAt(set, place).filter((rule) => familyOfRule(rule) === family);
  const jump = `${hook} -j ${chain}`;
  const jumps = lines.filter((line) => line === `-A ${jump}`).length;
  if (rules.length === 0) {
    if (lines.length === 0) return undefined;
    const removals = [...repeat(`-D ${jump}`, jumps), `-F ${chain}`, `-X ${chain}`];
    // Declared first, so that a jump whose chain is gone, or a chain of which only rules of others
    // are left, does not make the kernel refuse all of it.
    return restoreInput(table, [`:${chain} - [0:0]`, ...removals]);
  }
  return restoreInput(table, [
    // Declaring a chain that is there empties it, within the same transaction.
    `:${chain} - [0:0]`,
    ...rules.flatMap(iptablesRules).map((rule) => `-A ${chain} ${rule}`),
    ...(jumps === 0 ? [`${first ? '-I' : '-A'} ${jump}`] : repeat(`-D ${jump}`, jumps - 1)),
  ]);
}

/** The family of the packets that a rule is about. */
export function familyOfRule(rule: FirewallRule): IpFamily {
  switch (rule.kind) {
    case 'mark':
      return familyOf(rule.destination.address);
    case 'sender-only':
      return rule.family;
    case 'masquerade':
      return familyOf(rule.source.address);
  }
}

/** One rule of ours in the language of iptables, which may take two of its own. */
export function iptablesRules(rule: FirewallRule): readonly string[] {
  switch (rule.kind) {
    case 'mark': {
      const { first, last } = rule.ports ?? {};
      const ports =
        first === undefined ? '' : ` --dport ${first === last ? first : `${first}:${last}`}`;
      const match = `-d ${prefixText(rule.destination)} -p ${rule.protocol}${ports}`;
      return [`${match} -j MARK --set-xmark ${rule.mark}/0xffffffff`];
    }
    case 'sender-only': {
      const match = `-o ${rule.interface} -p udp --dport ${rule.port} -m owner --uid-owner`;
      // Not `! --uid-owner`, which would match the kernel's own packets too: they have no owner.
      return [`${match} ${rule.userId} -j RETURN`, `${match} 0-${userIdMax} -j DROP`];
    }
    case 'masquerade': {
      const way = rule.interface === undefined ? '' : ` -o ${rule.interface}`;
      return [`-s ${prefixText(rule.source)}${way} -j MASQUERADE`];
    }
  }
}

function restoreInput(table: string, lines: readonly string[]): string {
  return `*${table}\n${lines.join('\n')}\nCOMMIT\n`;
}

function repeat(line: string, count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, () => line);
}
