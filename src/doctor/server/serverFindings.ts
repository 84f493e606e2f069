/** Findings on a real server. Pure. */
import { familyOf, type IpAddress } from '../../wire/ipAddress.js';
import type { TunnelEncapsulation } from '../../wire/ipvsModel.js';
import { protocolNumbers } from '../director/firewallFindings.js';
import { listed } from '../director/services.js';
import type { RealServerFacts } from '../facts.js';
import type { Finding } from '../findings.js';
import type { WalkedPacket } from '../firewall/model.js';
import { certainEnd, describeEnd } from '../firewall/walk.js';
import { effectiveSetting, isOnLink, isOwn, linkOf, routeTo } from '../paths.js';
import { tunnelOptionsText, tunnelPacket, tunnelPacketName } from '../tunnelPackets.js';

/** Everything that can be wrong on a real server. */
export function realServerFindings(facts: RealServerFacts): readonly Finding[] {
  return [
    ...linkToDirector(facts),
    ...gateway(facts),
    ...missingAddresses(facts),
    ...tunnelEnd(facts),
    ...audibleAddresses(facts),
    ...firewall(facts),
    ...tunnelFilter(facts),
    ...silentPorts(facts),
  ];
}

function linkToDirector(facts: RealServerFacts): readonly Finding[] {
  const names = facts.directors.map((address) => routeTo(facts, address)?.interface);
  return [...new Set(names)].flatMap((name): readonly Finding[] => {
    const link = linkOf(facts, name);
    if (link === undefined || link.running) return [];
    return [
      {
        id: 'link-down',
        severity: 'fault',
        what: `The interface ${link.name} towards the directors carries nothing.`,
        seen: [link.up ? `${link.name} has no carrier` : `${link.name} is down`],
        todo: [link.up ? 'Look at its cable and the switch.' : `\`ip link set ${link.name} up\`.`],
      },
    ];
  });
}

/** With address translation answers must go back through the director. */
function gateway(facts: RealServerFacts): readonly Finding[] {
  const { mode, directors, routes } = facts;
  if (mode !== 'nat') return [];
  return ([4, 6] as const).flatMap((family): readonly Finding[] => {
    // A server behind a router reaches the directors through that one.
    const wanted = directors.filter(
      (address) => familyOf(address) === family && isOnLink(facts, address),
    );
    if (wanted.length === 0) return [];
    const defaults = routes.filter(
      ({ destination }) => destination.length === 0 && familyOf(destination.address) === family,
    );
    const good = defaults.some(
      (route) => route.gateway !== undefined && wanted.includes(route.gateway),
    );
    if (good) return [];
    const found = defaults.map(({ gateway: via, interface: name }) =>
      via === undefined ? `out of ${name ?? 'nowhere'}, without a gateway` : `via ${via}`,
    );
    return [
      {
        id: 'gateway-elsewhere',
        severity: 'fault',
        what: 'The answers of this server do not go back through a director.',
        seen: [
          found.length === 0
            ? 'there is no default route'
            : `the default route goes ${found.join(', ')}`,
          `the directors are ${listed(wanted)}`,
        ],
        todo: [
          `\`ip route replace default via ${wanted[0]}\`, and the same where this machine keeps ` +
            'its routes (systemd-networkd, NetworkManager, ifupdown).',
        ],
      },
    ];
  });
}

/** Where packets still carry the virtual address, this machine must have it. */
function missingAddresses(facts: RealServerFacts): readonly Finding[] {
  const { mode, virtualAddresses } = facts;
  if (mode === 'nat') return [];
  const missing = virtualAddresses.filter((address) => !isOwn(facts, address));
  if (missing.length === 0) return [];
  return [
    {
      id: 'virtual-address-missing',
      severity: 'fault',
      what: `This server does not have ${listed(missing)}, so it drops packets for it.`,
      seen: missing.map((address) => `${address} is on no interface`),
      todo: [`\`tandem realserver apply --vip ${missing.join(' ')} --mode ${mode} --persist\`.`],
    },
  ];
}

function tunnelEnd(facts: RealServerFacts): readonly Finding[] {
  const devices = facts.tunnels.flatMap(({ name, module }) => {
    const link = linkOf(facts, name);
    if (link?.up === true) return [];
    return link === undefined ? `there is no ${name} (module ${module})` : `${name} is down`;
  });
  const ports = facts.guePorts
    .filter(({ open }) => !open)
    .map(({ family, port }) => `UDP port ${port} is not open for GUE over IPv${family}`);
  const seen = [...devices, ...ports];
  if (seen.length === 0) return [];
  return [
    {
      id: 'tunnel-missing',
      severity: 'fault',
      what: 'This server does not take packets out of their tunnel.',
      seen,
      todo: facts.encapsulations.map(
        (encapsulation) => `\`${applyCommand(facts, encapsulation)}\`.`,
      ),
    },
  ];
}

/** The command that prepares this machine. */
function applyCommand(
  { mode, virtualAddresses, tunnels }: RealServerFacts,
  encapsulation: TunnelEncapsulation | undefined,
): string {
  const local = tunnels.find((tunnel) => tunnel.local !== undefined)?.local;
  const server = local === undefined ? '' : ` --server ${local}`;
  // What systemd-networkd has no words for cannot be made persistent.
  const isSummed = encapsulation?.type === 'gre' && encapsulation.checksum === 'full';
  const persist = `${server}${isSummed ? '' : ' --persist'}`;
  return (
    `tandem realserver apply --vip ${virtualAddresses.join(' ')} --mode ${mode}` +
    `${tunnelOptionsText(encapsulation)}${persist}`
  );
}

/** Devices that have no neighbours to tell an address to. */
const silentDevice = /^(?:tunl|sit|ip6tnl|dummy|gre|ip6gre|tandem-(?:gre|ip6tnl))/;

/** A virtual address that this machine tells its neighbours about. */
function audibleAddresses(facts: RealServerFacts): readonly Finding[] {
  const { mode, virtualAddresses, links } = facts;
  if (mode === 'nat') return [];
  const held = virtualAddresses.filter(
    (address) => familyOf(address) === 4 && isOwn(facts, address),
  );
  if (held.length === 0) return [];
  const onLinks = held.flatMap((address) =>
    facts.addresses
      .filter(
        ({ interface: name, prefix }) =>
          prefix.address === address && name !== 'lo' && !silentDevice.test(name),
      )
      .map(({ interface: name }) => `${address} is on ${name}, which answers ARP for it`),
  );
  const talkative = links
    .filter(({ name, running, macAddress }) => running && macAddress !== '' && name !== 'lo')
    .filter(({ name }) => !silentDevice.test(name))
    .filter(({ name }) => ![1, 2, 8].includes(effectiveSetting(facts, name, 'arp_ignore')))
    .map(({ name }) => `arp_ignore is 0 on ${name}, so it answers ARP for addresses of lo`);
  const seen = [...onLinks, ...talkative];
  if (seen.length === 0) return [];
  return [
    {
      id: 'server-answers-arp',
      severity: 'fault',
      what: `This server answers ARP for ${listed(held)}, so clients may come past the director.`,
      seen,
      todo: [
        ...(onLinks.length > 0
          ? ['Take the address off that interface: `ip address del ADDRESS dev NAME`.']
          : []),
        `\`tandem realserver apply --vip ${held.join(' ')} --mode ${mode} --persist\`.`,
      ],
    },
  ];
}

/** Rules of this machine that drop requests or answers. */
function firewall(facts: RealServerFacts): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const step of stepsOf(facts)) {
    const end = certainEnd(facts.chains, [...step.hooks], step.packet);
    if (end === undefined) continue;
    const place = describeEnd(end);
    const key = `${step.id} ${place}`;
    const before = findings.get(key);
    findings.set(key, {
      id: step.id,
      severity: 'fault',
      what:
        step.id === 'firewall-drops-requests'
          ? 'The firewall of this server drops requests that the director sends.'
          : 'The firewall of this server drops its answers.',
      seen: [...(before?.seen ?? [place]), `drops ${step.what}`],
      todo: [
        'Let the service pass, before that rule; with firewalld: `firewall-cmd --add-port=...`.',
      ],
    });
  }
  return [...findings.values()];
}

function stepsOf(facts: RealServerFacts) {
  const { mode, virtualAddresses, ports, directors } = facts;
  const towards = directors.find((address) => isOnLink(facts, address)) ?? directors[0];
  const device = towards === undefined ? undefined : routeTo(facts, towards)?.interface;
  const own = facts.addresses.find(
    ({ interface: name, prefix }) =>
      name === device && (towards === undefined || familyOf(prefix.address) === familyOf(towards)),
  )?.prefix.address;
  const targets: readonly IpAddress[] =
    mode === 'nat' ? (own === undefined ? [] : [own]) : virtualAddresses;
  const steps = targets.flatMap((address) =>
    ports.flatMap(({ protocol, port }) => {
      const base = { family: familyOf(address), protocol: protocolNumbers[protocol] } as const;
      // Packets come out of a tunnel by the tunnel's own device.
      const entry = mode === 'tunnel' ? facts.tunnels[0]?.name : device;
      const request: WalkedPacket = {
        ...base,
        destination: address,
        destinationPort: port,
        ...(entry === undefined ? {} : { inInterface: entry }),
        state: 'new',
      };
      const answer: WalkedPacket = {
        ...base,
        source: address,
        sourcePort: port,
        state: 'established',
      };
      return [
        {
          id: 'firewall-drops-requests',
          what: `requests for ${protocol} port ${port} of ${address}`,
          hooks: ['prerouting', 'input'],
          packet: request,
        },
        {
          id: 'firewall-drops-answers',
          what: `answers from ${protocol} port ${port} of ${address}`,
          hooks: ['output', 'postrouting'],
          packet: answer,
        },
      ] as const;
    }),
  );
  if (mode !== 'tunnel' || own === undefined) return steps;
  const inner = familyOf(virtualAddresses[0] ?? own);
  return [
    ...steps,
    ...facts.encapsulations.map((encapsulation) => {
      const outer = tunnelPacket(inner, own, encapsulation);
      const packet: WalkedPacket = {
        ...outer,
        ...(towards === undefined ? {} : { source: towards }),
        ...(device === undefined ? {} : { inInterface: device }),
        state: 'new',
      };
      return {
        id: 'firewall-drops-requests',
        what: `tunnels (${tunnelPacketName(outer)}) from the director`,
        hooks: ['prerouting', 'input'],
        packet,
      } as const;
    }),
  ];
}

/** Clients come out of a tunnel device and are answered by another one. */
function tunnelFilter(facts: RealServerFacts): readonly Finding[] {
  if (!facts.virtualAddresses.some((address) => familyOf(address) === 4)) return [];
  return facts.tunnels.flatMap(({ name }): readonly Finding[] => {
    if (linkOf(facts, name) === undefined) return [];
    const filter = effectiveSetting(facts, name, 'rp_filter');
    const hasAddress = facts.addresses.some(
      ({ interface: device, prefix }) => device === name && familyOf(prefix.address) === 4,
    );
    // Without an address even the loose filter drops (fib_frontend.c, __fib_validate_source).
    if (filter === 0 || (filter === 2 && hasAddress)) return [];
    const { total, now } = facts.reversePathDrops;
    return [
      {
        id: 'reverse-path-filter',
        severity: 'fault',
        what: 'The reverse path filter drops what comes out of the tunnel.',
        seen: [
          filter === 1
            ? `rp_filter is 1 (strict) for ${name}, the larger of \`all\` and its own`
            : `rp_filter is ${filter} for ${name}, which has no address of its own`,
          `the filter has dropped ${total} packets, ${now} of them while looked at`,
        ],
        todo: facts.encapsulations.map(
          (encapsulation) =>
            `\`${applyCommand(facts, encapsulation)}\`: a loose filter (2), and the address ` +
            'on the device.',
        ),
      },
    ];
  });
}

/** Nobody listens where requests arrive. */
function silentPorts(facts: RealServerFacts): readonly Finding[] {
  const { mode, virtualAddresses, ports, listeners } = facts;
  return ports.flatMap(({ protocol, port }): readonly Finding[] => {
    if (protocol === 'sctp') return [];
    const all = listeners.filter((entry) => entry.protocol === protocol && entry.port === port);
    const serves = (address: string): boolean =>
      all.some(
        (entry) =>
          entry.address === '::' ||
          entry.address === address ||
          (entry.address === '0.0.0.0' && !address.includes(':')),
      );
    const own = facts.addresses
      .filter(({ interface: name }) => name !== 'lo')
      .map(({ prefix }) => prefix.address);
    const silent =
      mode === 'nat'
        ? own.some(serves) || own.length === 0
          ? []
          : own.slice(0, 1)
        : virtualAddresses.filter((address) => !serves(address));
    if (silent.length === 0) return [];
    const where = all.map(({ address }) => address);
    return [
      {
        id: 'nothing-listens',
        severity: 'fault',
        what: `Nothing listens at ${protocol} port ${port} of ${listed(silent)}.`,
        seen: [
          where.length === 0
            ? 'no program listens at this port'
            : `what listens at this port does so at ${listed(where)} only`,
        ],
        todo: ['Start the service, and let it listen at every address (0.0.0.0 or ::).'],
      },
    ];
  });
}
