/** What the doctor can find: the closed table of findings, and one finding as a value. */

/**
 * `fault`: traffic that should flow does not. `risk`: it flows, and something will break it.
 */
export type FindingSeverity = 'fault' | 'risk';

/**
 * Every finding by its id, the likeliest first: findings are told in this order, faults before
 * risks. The text is the standing sentence of the reference; a finding says it with particulars.
 */
export const findingTable = {
  'permission-missing': 'This user may not look at what the doctor has to see.',
  'ipvs-missing': 'The running kernel has no IPVS.',
  'configuration-bad': 'The configuration file cannot be used.',
  'link-down': 'An interface that the service needs is down or has no carrier.',
  'forwarding-off': 'The director does not forward, so answers of NAT services end there.',
  'firewall-drops-requests': 'A firewall rule drops requests of clients.',
  'firewall-drops-answers': 'A firewall rule drops answers to clients.',
  'gateway-elsewhere': 'Answers of a NAT server do not come back through the director.',
  'client-beside-server': 'A client of a NAT service is on the network of its server.',
  'virtual-address-missing': 'A server for direct routing or tunnels lacks the virtual address.',
  'tunnel-missing': 'A server does not take packets out of their tunnel.',
  'server-answers-arp': 'A real server answers ARP for a virtual address.',
  'second-machine-answers': 'Another machine answers ARP for a virtual address.',
  'virtual-address-nowhere': 'Nobody on the link has a virtual address.',
  'split-brain': 'Both directors hold the same virtual addresses.',
  'firewall-drops-advertisements':
    'A firewall rule drops the advertisements of the other director.',
  'reverse-path-filter': 'The reverse path filter drops packets.',
  'server-unreachable': 'A real server is not reachable from the director.',
  'server-refuses': 'Nothing listens at the port of a real server.',
  'nothing-listens': 'No program on this server listens at the port of the service.',
  'agent-missing': 'There is a configuration and no agent that carries it out.',
  'agent-trouble': 'The agent says itself that something is wrong.',
  'scheduler-missing': 'The module of a scheduler is not available.',
  'scheduler-differs': 'A service has another scheduler than configured.',
  'service-missing': 'The kernel lacks a service of the configuration.',
  'mark-missing': 'No firewall rule sets the mark of a service.',
  'service-empty': 'A service has no server that takes new clients.',
  'backup-only': 'The kernel forwards nothing while its backup daemon runs.',
  'persistent-clients-stay': 'Persistent clients stay with a server of weight 0.',
  'tunnel-mtu': 'Large packets do not get through a tunnel.',
  'sync-settings': 'Settings of the kernel weaken the connection sync.',
  'masquerade-untracked': 'Masquerading does not see balanced connections.',
  'tracking-full': 'The table of connection tracking is full.',
  'answers-missing': 'Requests arrive and answers do not, for a reason that is not seen from here.',
} as const satisfies Record<string, string>;

/** An id of {@link findingTable}. */
export type FindingId = keyof typeof findingTable;

/** Something that is wrong. */
export interface Finding {
  readonly id: FindingId;
  readonly severity: FindingSeverity;
  /** One sentence: what is wrong. */
  readonly what: string;
  /** The evidence, one line each; at least one. */
  readonly seen: readonly string[];
  /** What to do about it, one step each; at least one. */
  readonly todo: readonly string[];
}

const order: readonly string[] = Object.keys(findingTable);

/** Orders findings: faults first, then as likely as the table says. Equal ones stay in order. */
export function byLikelihood(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ id, severity }: Finding): number =>
    (severity === 'fault' ? 0 : order.length) + order.indexOf(id);
  return [...findings].sort((left, right) => rank(left) - rank(right));
}
