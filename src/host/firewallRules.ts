/** The firewall rules that a configuration asks for. Pure. */
import type { ConnectionSyncConfig, ServiceConfig, TandemConfig } from '../config/model.js';
import type { FirewallRule, FirewallRuleSet } from '../kernel/firewallModel.js';
import { bitsOf, familyOf } from '../wire/ipAddress.js';

/** The rule set that keeps local users from the ports of the daemons of connection sync. */
export const syncRuleSetName = 'sync';

/**
 * The rule sets of firewall marks, of address translation for the servers' own traffic, and of the
 * relay's ports on `lo`, which belong to one user.
 */
export function wantedRuleSets(
  { services, system, connectionSync }: TandemConfig,
  userId: number,
): readonly FirewallRuleSet[] {
  return [
    { name: 'marks', rules: services.flatMap(markRules) },
    {
      name: 'gateway',
      rules: system.masquerade.map((rule) => ({ kind: 'masquerade', ...rule })),
    },
    { name: syncRuleSetName, rules: syncRules(connectionSync, userId) },
  ];
}

function syncRules(sync: ConnectionSyncConfig, userId: number): readonly FirewallRule[] {
  if (sync.mode !== 'relay') return [];
  return Array.from({ length: 2 * sync.portCount }, (_, index) => ({
    kind: 'sender-only',
    family: 4,
    interface: 'lo',
    port: sync.port + index,
    userId,
  }));
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
