/** Findings on the way of packets through the director. Pure. */
import type { DirectorFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import { effectiveSetting, interfaceFor, linkOf, routeTo } from '../paths.js';
import {
  familyOfService,
  listed,
  nameOf,
  serversBy,
  servicesOf,
  virtualAddressesOf,
} from './services.js';

/** Forwarding is off where answers come through. */
export function forwardingOff(facts: DirectorFacts): readonly Finding[] {
  const pairs = serversBy(facts, 'nat');
  return ([4, 6] as const).flatMap((family): readonly Finding[] => {
    const setting = family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding';
    const names = pairs
      .filter(({ service }) => familyOfService(service) === family)
      .map(({ service }) => nameOf(service));
    if (names.length === 0 || facts.settings[setting] !== '0') return [];
    return [
      {
        id: 'forwarding-off',
        severity: 'fault',
        what: 'The director does not forward packets, so the answers of servers end here.',
        seen: [`${setting} is 0`, `${listed(names)} translate addresses (nat)`],
        todo: [
          `\`sysctl -w ${setting}=1\`, and the same in a file of /etc/sysctl.d.`,
          'With `system: { manage: true }` the agent sets it.',
        ],
      },
    ];
  });
}

/** Interfaces that carry nothing. */
export function linksDown(facts: DirectorFacts): readonly Finding[] {
  const uses = new Map<string, string[]>();
  const use = (name: string | undefined, what: string): void => {
    if (name !== undefined) uses.set(name, [...(uses.get(name) ?? []), what]);
  };
  for (const address of virtualAddressesOf(facts)) use(interfaceFor(facts, address), address);
  for (const { servers } of servicesOf(facts)) {
    for (const { server } of servers)
      use(routeTo(facts, server.address)?.interface, server.address);
  }
  return [...uses].flatMap(([name, what]): readonly Finding[] => {
    const link = linkOf(facts, name);
    if (link === undefined || link.running || name === 'lo') return [];
    return [
      {
        id: 'link-down',
        severity: 'fault',
        what: `The interface ${name} carries nothing.`,
        seen: [
          link.up ? `${name} is up and has no carrier` : `${name} is down`,
          `it is the way to ${listed(what)}`,
        ],
        todo: [link.up ? 'Look at its cable and the switch.' : `\`ip link set ${name} up\`.`],
      },
    ];
  });
}

/** The strict reverse path filter, where it drops. */
export function reversePathFilter(facts: DirectorFacts): readonly Finding[] {
  const { total, now } = facts.reversePathDrops;
  if (total === 0) return [];
  const strict = facts.links
    .map(({ name }) => name)
    .filter((name) => name !== 'lo' && effectiveSetting(facts, name, 'rp_filter') === 1);
  if (strict.length === 0) return [];
  return [
    {
      id: 'reverse-path-filter',
      severity: now > 0 ? 'fault' : 'risk',
      what: 'The reverse path filter drops packets that come in by another way than answers go.',
      seen: [
        `it has dropped ${total} packets, ${now} of them in ${facts.windowMs} ms ` +
          '(IPReversePathFilter of /proc/net/netstat)',
        `it is strict (rp_filter 1) on ${listed(strict)}`,
      ],
      todo: [
        `\`sysctl -w net.ipv4.conf.all.rp_filter=2\` (loose), and the same in /etc/sysctl.d.`,
        'Or give this machine the route by which these packets come in.',
      ],
    },
  ];
}

/** The daemon of the standby that keeps the kernel from forwarding. */
export function backupOnly(facts: DirectorFacts): readonly Finding[] {
  const { table, settings } = facts;
  if (table.kind !== 'read' || settings['net.ipv4.vs.backup_only'] !== '1') return [];
  if (!table.daemons.some(({ role }) => role === 'backup')) return [];
  if (table.services.length === 0 || isStandby(facts)) return [];
  return [
    {
      id: 'backup-only',
      severity: 'fault',
      what: 'The kernel forwards nothing, because its backup daemon runs.',
      seen: ['net.ipv4.vs.backup_only is 1', 'a backup sync daemon runs'],
      todo: ['`sysctl -w net.ipv4.vs.backup_only=0`.'],
    },
  ];
}

/** Whether a running agent says that this director is not the Active one. */
export function isStandby({ agent }: DirectorFacts): boolean {
  return agent.kind === 'running' && agent.active.length === 0;
}

/** Masquerading and connection tracking. */
export function connectionTracking(facts: DirectorFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const { configuration, settings, tracking } = facts;
  const masquerades = configuration.kind === 'read' && configuration.masquerades;
  if (masquerades && settings['net.ipv4.vs.conntrack'] === '0') {
    findings.push({
      id: 'masquerade-untracked',
      severity: 'fault',
      what: 'Masquerading does not see balanced connections.',
      seen: ['net.ipv4.vs.conntrack is 0', 'the configuration has `system.masquerade`'],
      todo: ['`sysctl -w net.ipv4.vs.conntrack=1`, and the same in a file of /etc/sysctl.d.'],
    });
  }
  if (tracking !== undefined && tracking.max > 0 && tracking.count >= tracking.max) {
    findings.push({
      id: 'tracking-full',
      severity: 'fault',
      what: 'The table of connection tracking is full, so new connections are dropped.',
      seen: [`nf_conntrack_count is ${tracking.count} of ${tracking.max}`],
      todo: [
        `\`sysctl -w net.netfilter.nf_conntrack_max=${tracking.max * 4}\`, or leave balanced ` +
          'traffic untracked (`net.ipv4.vs.conntrack=0` and notrack rules).',
      ],
    });
  }
  return findings;
}
