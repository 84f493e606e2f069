/** Findings in what the kernel's table, the configuration and the agent say. Pure. */
import type { DirectorFacts, ServiceFact } from '../facts.js';
import type { Finding } from '../findings.js';
import { listed, nameOf, serverName, servicesOf } from './services.js';

/** The table cannot be read at all. */
export function unreadableTable({ table }: DirectorFacts): readonly Finding[] {
  if (table.kind === 'read') return [];
  if (table.reason === 'permission') {
    return [
      {
        id: 'permission-missing',
        severity: 'fault',
        what: 'This user may not read the table of IPVS.',
        seen: [table.message],
        todo: ['Run `tandem doctor` as root, or with CAP_NET_ADMIN and CAP_NET_RAW.'],
      },
    ];
  }
  if (table.reason === 'absent') {
    return [
      {
        id: 'ipvs-missing',
        severity: 'fault',
        what: 'The running kernel has no IPVS.',
        seen: [table.message],
        todo: [
          '`modprobe ip_vs`; to have it after a restart as well, a line `ip_vs` in a file of ' +
            '/etc/modules-load.d.',
        ],
      },
    ];
  }
  return [
    {
      id: 'ipvs-missing',
      severity: 'fault',
      what: 'The table of IPVS cannot be read.',
      seen: [table.message],
      todo: ['`dmesg | grep -i ipvs` may tell why.'],
    },
  ];
}

/** The file is wrong. */
export function badConfiguration({ configuration }: DirectorFacts): readonly Finding[] {
  if (configuration.kind !== 'bad') return [];
  return [
    {
      id: 'configuration-bad',
      severity: 'fault',
      what: `The configuration ${configuration.path} cannot be used.`,
      seen: configuration.problems,
      todo: [
        `Correct the file; \`tandem check ${configuration.path}\` tells when it is right.`,
        'A running agent goes on with the last file that was right.',
      ],
    },
  ];
}

/** A configuration without an agent. */
export function missingAgent(facts: DirectorFacts): readonly Finding[] {
  const { configuration, agent } = facts;
  if (configuration.kind !== 'read' || agent.kind !== 'absent') return [];
  return [
    {
      id: 'agent-missing',
      severity: missingServices(facts).length > 0 ? 'fault' : 'risk',
      what: `No agent carries out ${configuration.path}.`,
      seen: [agent.message],
      todo: [
        '`systemctl start tandem`, or `tandem run` in the foreground, which says what stops it.',
        'An agent with another `api.socket` is found with --socket PATH.',
      ],
    },
  ];
}

/** What the agent says of itself. */
export function troubledAgent({ agent }: DirectorFacts): readonly Finding[] {
  if (agent.kind !== 'running') return [];
  const findings: Finding[] = [];
  if (agent.splitBrain.length > 0) {
    findings.push({
      id: 'split-brain',
      severity: 'fault',
      what: `Both directors are Active for ${listed(agent.splitBrain)}.`,
      seen: ['the agent hears over the peer channel that the other director is Active as well'],
      todo: [
        'Let VRRP (IP protocol 112) pass between the directors: firewall, switch, cable.',
        '`tandem doctor` on the other director looks at its side.',
      ],
    });
  }
  if (agent.troubles.length > 0) {
    findings.push({
      id: 'agent-trouble',
      severity: 'fault',
      what: 'The agent says that something is wrong.',
      seen: agent.troubles,
      todo: ['`tandem status` shows where; its log has the hints.'],
    });
  }
  return findings;
}

/** Services of the file that the kernel does not have. */
export function absentServices(facts: DirectorFacts): readonly Finding[] {
  const missing = missingServices(facts);
  if (missing.length === 0) return [];
  return [
    {
      id: 'service-missing',
      severity: 'fault',
      what: `The kernel does not have ${listed(missing)}, so nothing is balanced there.`,
      seen: [`the configuration has ${missing.length} services that the kernel's table lacks`],
      todo: ['`tandem plan` shows what is missing; the agent puts it there when it runs.'],
    },
  ];
}

function missingServices({ configuration, table }: DirectorFacts): readonly string[] {
  if (configuration.kind !== 'read' || table.kind !== 'read') return [];
  const present = new Set(table.services.map(nameOf));
  return configuration.services
    .flatMap(({ listeners }) => listeners)
    .filter((listener) => !present.has(listener));
}

/** Schedulers that are not there, or not those of the file. */
export function schedulers(facts: DirectorFacts): readonly Finding[] {
  const { configuration } = facts;
  if (configuration.kind !== 'read') return [];
  const present = new Map(servicesOf(facts).map((entry) => [nameOf(entry), entry]));
  return configuration.services.flatMap((wanted): readonly Finding[] => {
    const { scheduler, listeners, name } = wanted;
    if (!wanted.schedulerAvailable) {
      return [
        {
          id: 'scheduler-missing',
          severity: 'fault',
          what: `The kernel has no scheduler ${scheduler}, which the service ${name} wants.`,
          seen: [
            `the module ip_vs_${scheduler} is neither loaded, nor built in, nor among the ` +
              "kernel's modules",
          ],
          todo: [
            `Install the package that has ip_vs_${scheduler} for this kernel, or configure ` +
              'another `scheduler` (wrr, wlc).',
          ],
        },
      ];
    }
    const others = listeners.flatMap((listener) => {
      const found = present.get(listener)?.service.scheduler;
      return found === undefined || found === scheduler ? [] : [`${listener} has ${found}`];
    });
    if (others.length === 0) return [];
    return [
      {
        id: 'scheduler-differs',
        severity: 'risk',
        what: `The service ${name} is scheduled otherwise than configured (${scheduler}).`,
        seen: others,
        todo: ['`tandem reload` sets it; somebody may have changed it by hand.'],
      },
    ];
  });
}

/** Services without a server that takes clients. */
export function emptyServices(facts: DirectorFacts): readonly Finding[] {
  return servicesOf(facts)
    .filter(({ servers }) => servers.every(({ server }) => server.weight === 0))
    .map((entry) => ({
      id: 'service-empty',
      severity: 'fault',
      what: `${nameOf(entry)} has no server that takes new clients.`,
      seen: [serversText(entry)],
      todo: [
        '`tandem status` tells why a weight is 0: a failed check, a drain, maintenance.',
        'Without an agent: `tandem ipvs -e ... -w 1`.',
      ],
    }));
}

function serversText(entry: ServiceFact): string {
  if (entry.servers.length === 0) return 'the kernel has the service without a server';
  return `every server has weight 0: ${listed(entry.servers.map(serverName))}`;
}

/** Clients that are remembered for a server that shall take none. */
export function stayingClients(facts: DirectorFacts): readonly Finding[] {
  const setting = 'net.ipv4.vs.expire_quiescent_template';
  const { table } = facts;
  if (table.kind !== 'read' || facts.settings[setting] !== '0') return [];
  return table.services.flatMap((entry): readonly Finding[] => {
    const out = entry.servers.filter(({ server }) => server.weight === 0);
    if (entry.service.persistence === undefined || out.length === 0) return [];
    const addresses = new Set(out.map(({ server }) => server.address));
    const clients = table.templates
      .filter((template) => addresses.has(template.server))
      .map(({ client }) => client);
    const who = listed(out.map(serverName));
    return [
      {
        id: 'persistent-clients-stay',
        severity: clients.length > 0 ? 'fault' : 'risk',
        what: `Persistent clients of ${nameOf(entry)} are sent on to ${who}, which has weight 0.`,
        seen: [
          `${setting} is 0`,
          clients.length > 0
            ? `the kernel remembers ${clients.length} for it: ${listed(clients)}`
            : 'the kernel remembers no client for it at this moment',
        ],
        todo: [
          `\`sysctl -w ${setting}=1\`, and the same in /etc/sysctl.d, or ` +
            '`system: { manage: true }`.',
          'Or `whenDown: remove` for the service.',
        ],
      },
    ];
  });
}
