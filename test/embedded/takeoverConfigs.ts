/** What the directors of the takeover lab are told, as Tandem and as keepalived read it. */

export const virtualAddress = '10.10.0.100';
export const insideAddress = '10.20.0.100';

/** Behind address translation: on a network of their own, with the director as their gateway. */
export const translatedServers = ['10.20.0.10', '10.20.0.20'] as const;
/** Reached directly: on the network of the clients, with the virtual address on their `lo`. */
export const directServers = ['10.10.2.10', '10.10.2.20'] as const;

/** Where translated servers listen; the others listen where the clients ask. */
export const translatedPort = 8080;

/** How a service reaches its servers. */
export type Forwarding = 'nat' | 'dr';

/** Ports of the services, each forwarding with and without persistence. */
export const ports = {
  nat: { plain: 80, persistent: 81 },
  dr: { plain: 82, persistent: 83 },
} as const satisfies Record<Forwarding, { plain: number; persistent: number }>;

const persistenceSeconds = 300;

/** The directors; lb1 has the higher priority. */
export const priorities = { lb1: 150, lb2: 100 } as const;
export type Director = keyof typeof priorities;

interface TakeoverService {
  readonly name: string;
  readonly port: number;
  readonly forwarding: Forwarding;
  readonly isPersistent: boolean;
  readonly servers: readonly { readonly address: string; readonly port: number }[];
}

const services: readonly TakeoverService[] = (['nat', 'dr'] as const).flatMap((forwarding) =>
  (['plain', 'persistent'] as const).map((kind) => {
    const port = ports[forwarding][kind];
    const addresses = forwarding === 'nat' ? translatedServers : directServers;
    const serverPort = forwarding === 'nat' ? translatedPort : port;
    return {
      name: `${forwarding}-${kind}`,
      port,
      forwarding,
      isPersistent: kind === 'persistent',
      servers: addresses.map((address) => ({ address, port: serverPort })),
    };
  }),
);

const routers = [
  { name: 'outside', id: 51, device: 'eth0', address: virtualAddress },
  { name: 'inside', id: 52, device: 'eth1', address: insideAddress },
] as const;

/** Files that one director needs for itself. */
export interface TakeoverFiles {
  readonly key: string;
  readonly socket: string;
  readonly state: string;
  readonly maintenance: string;
}

/** The configuration of Tandem, with the relay. */
export function tandemConfig(files: TakeoverFiles): string {
  const priority = `{ lb1: ${priorities.lb1}, lb2: ${priorities.lb2} }`;
  const router = ({ name, id, device, address }: (typeof routers)[number]): string =>
    `  - { name: ${name}, vrid: ${id}, interface: ${device}, advertInterval: 1s,` +
    ` priority: ${priority}, addresses: [${address}/16] }`;
  const service = ({ name, port, forwarding, isPersistent, servers }: TakeoverService): string => {
    const list = servers.map((server) => `{ address: '${server.address}:${server.port}' }`);
    const persistence = isPersistent ? ` persistence: { timeout: ${persistenceSeconds}s },` : '';
    return (
      `  - { name: ${name}, listen: 'tcp://${virtualAddress}:${port}', scheduler: rr,` +
      ` forward: ${forwarding},${persistence} servers: [${list.join(', ')}] }`
    );
  };
  return `cluster: takeover
nodes:
  lb1: { address: 10.10.0.101, interface: eth0 }
  lb2: { address: 10.10.0.102, interface: eth0 }
virtualRouters:
${routers.map(router).join('\n')}
syncGroups: [{ name: edge, members: [outside, inside] }]
services:
${services.map(service).join('\n')}
system: { manage: true }
peering: { key: { file: ${files.key} } }
connectionSync: { mode: relay }
overrides: { stateFile: ${files.state}, maintenanceFolder: ${files.maintenance} }
api: { socket: ${files.socket} }
`;
}

/** The configuration of keepalived, with the kernel's own sync daemons. */
export function keepalivedConfig(director: Director): string {
  const router = ({ name, id, device, address }: (typeof routers)[number]): string =>
    `vrrp_instance ${name} { state BACKUP\n interface ${device}\n virtual_router_id ${id}\n` +
    ` priority ${priorities[director]}\n advert_int 1\n` +
    ` virtual_ipaddress { ${address}/16\n }\n}`;
  const service = ({ port, forwarding, isPersistent, servers }: TakeoverService): string => {
    const list = servers.map(
      (server) => ` real_server ${server.address} ${server.port} { weight 1\n }`,
    );
    return (
      `virtual_server ${virtualAddress} ${port} { lb_algo rr\n` +
      ` lb_kind ${forwarding.toUpperCase()}\n` +
      ` protocol TCP\n${isPersistent ? ` persistence_timeout ${persistenceSeconds}\n` : ''}` +
      `${list.join('\n')}\n}`
    );
  };
  return `global_defs { router_id ${director}
 lvs_sync_daemon eth0 outside id 7
}
vrrp_sync_group edge { group { outside
 inside
 }
}
${[...routers.map(router), ...services.map(service)].join('\n')}
`;
}
