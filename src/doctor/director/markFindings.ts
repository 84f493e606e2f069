/** Findings about firewall marks. Pure. */
import type { ServiceIdentity } from '../../wire/ipvsModel.js';
import type { DirectorFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import { setsMark } from '../marks.js';
import { nameOf, servicesOf } from './services.js';

type MarkIdentity = ServiceIdentity & { readonly kind: 'fwmark' };

/** Services by a mark that no rule gives to any packet. */
export function missingMarks(facts: DirectorFacts): readonly Finding[] {
  const rules = facts.chains.flatMap((chain) => chain.rules);
  // Marks that are restored or looked up are not in the text of a rule.
  if (rules.some(({ text }) => /restore-mark|mark set .*\bmap\b|mark set ct mark/.test(text))) {
    return [];
  }
  return servicesOf(facts).flatMap((entry): readonly Finding[] => {
    const { identity, statistics } = entry.service;
    if (identity.kind !== 'fwmark') return [];
    // What has packets now has its mark; tc and other programs can set one as well.
    if (entry.servers.some(({ incomingNow }) => incomingNow > 0n)) return [];
    if (rules.some((rule) => setsMark(rule, identity.fwmark))) return [];
    const hex = `0x${identity.fwmark.toString(16)}`;
    const unused = statistics.incomingPackets === 0n;
    return [
      {
        id: 'mark-missing',
        severity: unused || isOurs(facts, identity) ? 'fault' : 'risk',
        what: `No packet gets the firewall mark ${identity.fwmark}, so ${nameOf(entry)} has none.`,
        seen: [
          `no firewall rule sets the mark ${identity.fwmark} (${hex})`,
          unused
            ? 'the service has never had a packet'
            : `the service has had ${statistics.incomingPackets} packets, none while looked at`,
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

/** Whether the configuration says that the agent sets the mark. */
function isOurs({ configuration }: DirectorFacts, { fwmark, family }: MarkIdentity): boolean {
  return (
    configuration.kind === 'read' &&
    configuration.marks.some((mark) => mark.fwmark === fwmark && mark.family === family)
  );
}
