/** What a configuration of the directors says of one of its real servers. Pure. */
import type { ServiceConfig, TandemConfig } from '../config/model.js';
import { tunnelsTo, virtualAddressesOn } from '../host/realServerPlan.js';
import type { IpAddress } from '../wire/ipAddress.js';
import type { RealServerFacts } from './facts.js';

/** What a server is there for, one way that packets come to it. */
type Purpose = Pick<
  RealServerFacts,
  'mode' | 'virtualAddresses' | 'directors' | 'ports' | 'encapsulations'
> & { readonly server: IpAddress };

/** The purpose of a server, for each way that packets reach it. None: no service has it. */
export function purposesOf(
  configs: readonly TandemConfig[],
  address: IpAddress,
): readonly Purpose[] {
  const [config] = configs;
  if (config === undefined) return [];
  return (['nat', 'dr', 'tunnel'] as const).flatMap((mode) => {
    const services = config.services.filter(({ servers }) =>
      servers.some((server) => server.address === address && server.forwarding === mode),
    );
    if (services.length === 0) return [];
    return [
      {
        mode,
        // With address translation a server never sees a virtual address.
        virtualAddresses: mode === 'nat' ? [] : virtualAddressesOn(config.services, address, mode),
        directors: directorsOf(config),
        ports: portsOf(services, address, mode),
        encapsulations: mode === 'tunnel' ? tunnelsTo(services, address) : [],
        server: address,
      },
    ];
  });
}

/** The virtual addresses first: they are the gateway that moves to the director at work. */
function directorsOf({ virtualRouters, nodes }: TandemConfig): readonly IpAddress[] {
  const virtual = virtualRouters.flatMap(({ addresses }) =>
    addresses.map(({ prefix }) => prefix.address),
  );
  return [...new Set([...virtual, ...nodes.map(({ address }) => address)])];
}

/** With NAT the server's own port, otherwise that of the virtual service. */
function portsOf(
  services: readonly ServiceConfig[],
  address: IpAddress,
  mode: RealServerFacts['mode'],
): RealServerFacts['ports'] {
  const marked = services.flatMap(({ marks = [] }) =>
    mode === 'nat'
      ? []
      : marks.flatMap(({ protocol, ports }) =>
          ports === undefined ? [] : [{ protocol, port: ports.first }],
        ),
  );
  const found = services.flatMap(({ listeners, servers }) =>
    listeners.flatMap((listener) => {
      if (listener.kind !== 'address') return [];
      const { protocol, port: virtualPort } = listener;
      const own = servers.filter((server) => server.address === address);
      const ports = mode === 'nat' ? own.map(({ port }) => port) : [virtualPort];
      return ports.map((port) => ({ protocol, port }));
    }),
  );
  const seen = new Set<string>();
  return [...found, ...marked].filter(({ protocol, port }) => {
    const key = `${protocol} ${port}`;
    if (port === 0 || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
