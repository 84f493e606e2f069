/** Findings about firewall marks. Pure. */
import type { DirectorFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import type { RuleFact } from '../firewall/model.js';
import { nameOf, servicesOf } from './services.js';

/** Services by a mark that no rule gives to any packet. */
export function missingMarks(facts: DirectorFacts): readonly Finding[] {
  const rules = facts.chains.flatMap((chain) => chain.rules);
  // Marks that are restored or looked up are not in the text of a rule.
  if (rules.some(({ text }) => /restore-mark|mark set .*\bmap\b|mark set ct mark/.test(text))) {
    return [];
  }
  return servicesOf(facts).flatMap((entry): readonly Finding[] => {
    const { identity, statistics } = entry.service;
    // What has had packets has had its mark; tc and other programs can set one as well.
    if (identity.kind !== 'fwmark' || statistics.incomingPackets > 0n) return [];
    if (rules.some((rule) => setsMark(rule, identity.fwmark))) return [];
    const hex = `0x${identity.fwmark.toString(16)}`;
    return [
      {
        id: 'mark-missing',
        severity: 'fault',
        what: `No packet gets the firewall mark ${identity.fwmark}, so ${nameOf(entry)} has none.`,
        seen: [
          `no firewall rule sets the mark ${identity.fwmark} (${hex})`,
          'the service has never had a packet',
        ],
        todo: [
          'With `fwmark` and `marks` in the configuration the agent sets it.',
          `By hand: \`nft add rule ... ip daddr ADDRESS tcp dport PORT meta mark set ${hex}\`, ` +
            `or \`iptables -t mangle -A PREROUTING ... -j MARK --set-mark ${hex}\`.`,
        ],
      },
    ];
  });
}

/** Marks are written in hexadecimal with leading zeros, or as they were given. */
function setsMark({ text }: RuleFact, mark: number): boolean {
  const numbers = text.matchAll(/(?:mark set|--set-x?mark|--or-mark) (0x[0-9a-f]+|\d+)/gi);
  return [...numbers].some(([, number]) => Number(number) === mark);
}
