/** A real server's preparation as files that survive a restart of the machine. Pure. */
import { formatIpPrefix } from '../wire/ipAddress.js';
import type { RealServerPlan } from './realServerPlan.js';

/** The first line of every file of ours; a file without it belongs to somebody else. */
export const fileHeader = '# Written by `tandem realserver apply --persist`.';

/** One file. */
export interface PersistentFile {
  readonly path: string;
  readonly text: string;
}

/** Every path that {@link persistentFiles} may name, but for those of {@link isGuePortFile}. */
export const persistentPaths = [
  '/etc/sysctl.d/90-tandem-realserver.conf',
  '/etc/modules-load.d/tandem-realserver.conf',
  '/etc/systemd/network/50-tandem-lo.network',
  '/etc/systemd/network/50-tandem-tunl0.network',
  '/etc/systemd/network/50-tandem-ip6tnl.network',
  '/etc/systemd/network/50-tandem-ip6tnl.netdev',
  '/etc/systemd/network/50-tandem-sit0.network',
  '/etc/systemd/network/50-tandem-gre0.network',
  '/etc/systemd/network/50-tandem-ip6gre0.network',
] as const;

/** What a GUE port is called as a device of systemd-networkd; its files are named alike. */
const guePortName = /^50-tandem-gue\d+\.netdev$/;

/** Whether a file of systemd-networkd has a name that {@link persistentFiles} gives to a port. */
export function isGuePortFile(name: string): boolean {
  return guePortName.test(name);
}

/**
 * What of a plan systemd-networkd has no words for, in words: the checksums of GRE, and GUE over
 * IPv6.
 */
export function unwritableParts({ tunnels, ports }: RealServerPlan): readonly string[] {
  return [
    ...tunnels.flatMap(({ kind, local }) =>
      local === undefined || kind === 'ip6tnl' ? [] : ['a GRE tunnel with checksums'],
    ),
    ...ports.flatMap(({ family }) => (family === 4 ? [] : ['a GUE tunnel over IPv6'])),
  ];
}

/** The files of a plan: sysctl.d, modules-load.d and systemd-networkd. */
export function persistentFiles(plan: RealServerPlan): readonly PersistentFile[] {
  const [sysctl, modules, loopback] = persistentPaths;
  const files: PersistentFile[] = [];
  const add = (path: string, lines: readonly string[]): void => {
    files.push({ path, text: `${[fileHeader, ...lines].join('\n')}\n` });
  };
  if (plan.settings.length > 0) {
    add(
      sysctl,
      plan.settings.map(({ setting, wanted }) => `${setting} = ${wanted}`),
    );
  }
  if (plan.tunnels.length > 0) {
    add(modules, [
      ...new Set(plan.tunnels.map(({ module }) => module)),
      ...(plan.ports.length > 0 ? ['fou'] : []),
    ]);
  }
  const addresses = addressSections(plan, 'lo');
  if (addresses.length > 0) add(loopback, ['[Match]', 'Name=lo', ...addresses]);
  for (const { name } of plan.tunnels) {
    const network = ['[Network]', 'LinkLocalAddressing=no', 'IPv6AcceptRA=no'];
    const lines = ['[Match]', `Name=${name}`, '', ...network, ...addressSections(plan, name)];
    add(networkFile(name, 'network'), lines);
  }
  for (const { name, kind, local } of plan.tunnels) {
    if (kind !== 'ip6tnl') continue;
    const device = ['[NetDev]', `Name=${name}`, 'Kind=ip6tnl'];
    const ends = [
      '[Tunnel]',
      'Mode=any',
      `Local=${local}`,
      'Remote=any',
      'AllowLocalRemote=yes',
      'Independent=yes',
    ];
    add(networkFile(name, 'netdev'), [...device, '', ...ends]);
  }
  for (const { port } of plan.ports) {
    const device = ['[NetDev]', `Name=gue${port}`, 'Kind=fou'];
    const opened = ['[FooOverUDP]', 'Encapsulation=GenericUDPEncapsulation', `Port=${port}`];
    add(`/etc/systemd/network/50-tandem-gue${port}.netdev`, [...device, '', ...opened]);
  }
  return files;
}

/** Our own devices have the prefix already. */
function networkFile(device: string, ending: 'netdev' | 'network'): string {
  return `/etc/systemd/network/50-tandem-${device.replace(/^tandem-/, '')}.${ending}`;
}

function addressSections({ addresses }: RealServerPlan, device: string): readonly string[] {
  return addresses
    .filter((placed) => placed.device === device)
    .flatMap(({ prefix }) => ['', '[Address]', `Address=${formatIpPrefix(prefix)}`]);
}
