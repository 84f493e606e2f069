/** What the IPVS benchmark sets up: one table, in the language of each program. Pure. */

/** How large the table is. */
export interface TableSize {
  readonly services: number;
  /** Real servers, all services together; a multiple of the services. */
  readonly servers: number;
}

/** One server of one service, as every program writes it. */
export interface SetupServer {
  readonly address: string;
  readonly weight: number;
}

/** One service of the table: TCP, weighted round robin, NAT. */
export interface SetupService {
  readonly name: string;
  readonly address: string;
  readonly servers: readonly SetupServer[];
}

/** Ports of all services and of all servers. */
export const servicePort = 80;
export const serverPort = 8080;

/** The weight that a reload gives to one server; the others have 1. */
export const changedWeight = 7;

/** The table; `changed` names by its number the server that has another weight. */
export function setupServices(size: TableSize, changed?: number): readonly SetupService[] {
  const perService = Math.floor(size.servers / size.services);
  return Array.from({ length: size.services }, (_, service) => ({
    name: `service-${service}`,
    address: addressOf(50, service),
    servers: Array.from({ length: perService }, (__, place): SetupServer => {
      const number = service * perService + place;
      return { address: addressOf(60, number), weight: number === changed ? changedWeight : 1 };
    }),
  }));
}

/** The file that `ipvsadm -R` and `tandem ipvs -R` read. */
export function savedRulesText(services: readonly SetupService[]): string {
  const lines = services.flatMap(({ address, servers }) => {
    const service = `-t ${address}:${servicePort}`;
    return [
      `-A ${service} -s wrr`,
      ...servers.map((server) => {
        return `-a ${service} -r ${server.address}:${serverPort} -m -w ${server.weight}`;
      }),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** The file of keepalived, without checkers: every server is held to be up. */
export function keepalivedText(services: readonly SetupService[]): string {
  const lines = services.flatMap(({ address, servers }) => [
    `virtual_server ${address} ${servicePort} {`,
    '  lb_algo wrr',
    '  lb_kind NAT',
    '  protocol TCP',
    ...servers.map((server) => {
      return `  real_server ${server.address} ${serverPort} {\n    weight ${server.weight}\n  }`;
    }),
    '}',
  ]);
  return `${lines.join('\n')}\n`;
}

/** Our file, without checks. */
export function tandemText(services: readonly SetupService[], socket: string): string {
  const lines = services.flatMap(({ name, address, servers }) => [
    `  - name: ${name}`,
    `    listen: tcp://${address}:${servicePort}`,
    '    scheduler: wrr',
    '    forward: nat',
    '    servers:',
    ...servers.map((server) => {
      return `      - { address: '${server.address}:${serverPort}', weight: ${server.weight} }`;
    }),
  ]);
  return `${[
    'cluster: bench',
    'nodes:',
    '  lb1: { address: 10.0.0.1, interface: lo }',
    '  lb2: { address: 10.0.0.2, interface: lo }',
    'services:',
    ...lines,
    `api: { socket: ${socket} }`,
    `overrides: { stateFile: ${socket}.overrides, maintenanceFolder: ${socket}.maintenance }`,
  ].join('\n')}\n`;
}

/** An address of a /8 by its number, from 1. */
function addressOf(first: number, number: number): string {
  const value = number + 1;
  return [first, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff].join('.');
}
