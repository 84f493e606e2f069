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

/** Every path that {@link persistentFiles} may name. */
export const persistentPaths = [
  '/etc/sysctl.d/90-tandem-realserver.conf',
  '/etc/modules-load.d/tandem-realserver.conf',
  '/etc/systemd/network/50-tandem-lo.network',
  '/etc/systemd/network/50-tandem-tunl0.network',
  '/etc/systemd/network/50-tandem-ip6tnl0.network',
] as const;

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
    add(
      modules,
      plan.tunnels.map(({ module }) => module),
    );
  }
  const addresses = addressSections(plan, 'lo');
  if (addresses.length > 0) add(loopback, ['[Match]', 'Name=lo', ...addresses]);
  for (const { name } of plan.tunnels) {
    const network = ['[Network]', 'LinkLocalAddressing=no', 'IPv6AcceptRA=no'];
    const lines = ['[Match]', `Name=${name}`, '', ...network, ...addressSections(plan, name)];
    add(`/etc/systemd/network/50-tandem-${name}.network`, lines);
  }
  return files;
}

function addressSections({ addresses }: RealServerPlan, device: string): readonly string[] {
  return addresses
    .filter((placed) => placed.device === device)
    .flatMap(({ prefix }) => ['', '[Address]', `Address=${formatIpPrefix(prefix)}`]);
}
