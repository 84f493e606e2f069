/** The firewall rules that a configuration asks for. Pure. */
import type { ServiceConfig, SystemConfig } from '../config/model.js';
import type { FirewallRule, FirewallRuleSet } from '../kernel/firewallModel.js';
import { bitsOf, familyOf } from '../wire/ipAddress.js';

/** The rule set of firewall marks, and that of address translation for the servers' own traffic. */
export function wantedRuleSets(
  services: readonly ServiceConfig[],
  system: SystemConfig,
): readonly FirewallRuleSet[] {
  return [
    { name: 'marks', rules: services.flatMap(markRules) },
    {
      name: 'gateway',
      rules: system.masquerade.map((rule) => ({ kind: 'masquerade', ...rule })),
    },
  ];
}

function markRules({ listeners, marks }: ServiceConfig): readonly FirewallRule[] {
  const [identity] = listeners;
  if (identity?.kind !== 'fwmark' || marks === undefined) return [];
  return marks.map(({ protocol, address, ports }) => ({
    kind: 'mark',
    protocol,
    destination: { address, length: bitsOf(familyOf(address)) },
    ...(ports === undefined ? {} : { ports }),
    mark: identity.fwmark,
  }));
}
