/** Cross checks of the real servers of a service and of the check that watches them. */
import { familyOf, formatEndpoint } from '../../wire/ipAddress.js';
import { formatDurationMs } from '../duration.js';
import { beneath, type ConfigPath, errorAt, type Finding, warningAt } from '../problem.js';
import { rememberedByObject } from '../remembered.js';
import type { ServerEndpoint } from '../schema/networkTypes.js';
import type { RootDraft } from '../schema/rootDefinition.js';
import { FirstOwners, present } from './present.js';
import { familyOfService, type ServiceDraft } from './services.js';

type SyncMode = NonNullable<RootDraft['connectionSync']>['mode'];

type ServerDraft = NonNullable<NonNullable<ServiceDraft['servers']>[number]>;

/** All of them. */
export function checkServers(draft: RootDraft): readonly Finding[] {
  const syncMode = draft.connectionSync?.mode;
  return present(draft.services).flatMap(([index, service]) =>
    findingsIn(service)(syncMode).map((finding) => beneath(['services', index], finding)),
  );
}

/** What is found in one service, for a mode of connection sync. */
const findingsIn = rememberedByObject((service: ServiceDraft) => {
  let known: { readonly mode: SyncMode; readonly findings: readonly Finding[] } | undefined;
  return (mode: SyncMode): readonly Finding[] => {
    if (known === undefined || known.mode !== mode) {
      const findings = [...checkEachServer([], service, mode), ...checkHealthChecks([], service)];
      known = { mode, findings };
    }
    return known.findings;
  };
});

/**
 * The port that the servers of a service have when they name none: the listeners' if they have
 * one in common, 0 for every port and for firewall marks, `undefined` when they differ.
 */
export const commonPort = rememberedByObject(
  (service: {
    readonly fwmark: number | undefined;
    readonly listen: readonly ({ readonly port: number } | undefined)[] | undefined;
  }): number | undefined => {
    if (service.fwmark !== undefined) return 0;
    const ports = new Set(present(service.listen).map(([, listen]) => listen.port));
    const [port] = ports;
    return ports.size === 1 ? port : undefined;
  },
);

function checkEachServer(
  path: ConfigPath,
  service: ServiceDraft,
  syncMode: SyncMode,
): readonly Finding[] {
  const findings: Finding[] = [];
  const endpoints = new FirstOwners<number>();
  const servers = present(service.servers);
  for (const [index, server] of servers) {
    const here = [...path, 'servers', index];
    findings.push(...checkThresholds(here, server));
    if (server.address === undefined) continue;
    const place = [...here, 'address'];
    findings.push(
      ...checkFamily(place, service, server, syncMode),
      ...checkPort(place, service, server, server.address),
      ...checkNotListener(place, service, server.address),
    );
    const port = server.address.port ?? commonPort(service);
    if (port === undefined) continue;
    const endpoint = formatEndpoint(server.address.address, port);
    const earlier = endpoints.claim(endpoint, index);
    if (earlier === undefined) continue;
    const text = port === 0 ? server.address.address : endpoint;
    const hint = 'a server is in a service once; give it a higher weight instead';
    findings.push(errorAt(place, `${text} is servers[${earlier}] already`, hint));
  }
  if (service.sorryServer !== undefined) {
    findings.push(...checkSorry([...path, 'sorryServer'], service, service.sorryServer, syncMode));
  }
  if (servers.length > 0 && servers.every(([, server]) => server.weight === 0)) {
    const message = 'every server has weight 0: nobody takes new connections';
    findings.push(warningAt([...path, 'servers'], message, 'give one of them a weight'));
  }
  return findings;
}

/** It is a server like the others, though it is in no pool. */
function checkSorry(
  path: ConfigPath,
  service: ServiceDraft,
  server: ServerDraft,
  syncMode: SyncMode,
): readonly Finding[] {
  const place = [...path, 'address'];
  const { address } = server;
  return [
    ...checkThresholds(path, server),
    ...checkFamily(place, service, server, syncMode),
    ...(address === undefined
      ? []
      : [
          ...checkPort(place, service, server, address),
          ...checkNotListener(place, service, address),
        ]),
  ];
}

function checkThresholds(path: ConfigPath, server: ServerDraft): readonly Finding[] {
  const { lowerThreshold = 0, upperThreshold } = server;
  if (upperThreshold === undefined || lowerThreshold <= upperThreshold) return [];
  const message = `must not exceed upperThreshold ${upperThreshold}, got ${lowerThreshold}`;
  const hint = upperThreshold === 0 ? 'give upperThreshold as well' : undefined;
  return [errorAt([...path, 'lowerThreshold'], message, hint)];
}

/** The kernel takes a server of the other family behind a tunnel, while no sync daemon runs. */
function checkFamily(
  path: ConfigPath,
  service: ServiceDraft,
  { address: endpoint, forward = service.forward }: ServerDraft,
  syncMode: SyncMode,
): readonly Finding[] {
  const family = familyOfService(service);
  if (endpoint === undefined || family === undefined) return [];
  const own = familyOf(endpoint.address);
  if (own === family || forward === undefined) return [];
  const message = `is IPv${own}, and the service is IPv${family}`;
  if (forward === 'tunnel') {
    if (syncMode === undefined || syncMode === 'off') return [];
    const hint = 'the kernel allows that only without connection sync: `connectionSync.mode: off`';
    return [errorAt(path, message, hint)];
  }
  return [errorAt(path, message, 'server and listener are of one family')];
}

function checkPort(
  path: ConfigPath,
  service: ServiceDraft,
  server: ServerDraft,
  endpoint: ServerEndpoint,
): readonly Finding[] {
  // A broken listener leaves the ports unknown.
  if (service.listen?.includes(undefined) === true) return [];
  const forward = server.forward ?? service.forward;
  const byMark = service.fwmark !== undefined;
  if (service.listen === undefined && !byMark) return [];
  const { port } = endpoint;
  const listenerPort = commonPort(service);
  const keepsPort = forward === 'dr' || forward === 'tunnel';
  if (listenerPort === undefined) {
    const ports = present(service.listen).map(([, listen]) => listen.port || 'every port');
    const list = [...new Set(ports)].join(' and ');
    if (port !== undefined && !keepsPort) return [];
    const message = `cannot take the port of the listeners, which are ${list}`;
    const hint = keepsPort
      ? 'make one service for each port, or use a firewall mark'
      : 'name the port, or make one service for each';
    return [errorAt(path, message, hint)];
  }
  if (port === undefined) return [];
  if (keepsPort && port !== listenerPort) {
    const kept = listenerPort === 0 ? 'the port of the packet' : `port ${listenerPort}`;
    const hint = listenerPort === 0 ? 'leave the port out' : `use ${listenerPort} or leave it out`;
    return [errorAt(path, `${forward} keeps ${kept}, got port ${port}`, hint)];
  }
  if (listenerPort === 0 && !byMark) {
    const message = `port ${port} cannot stand for every port of the listener`;
    return [errorAt(path, message, 'leave the port out')];
  }
  return [];
}

function checkNotListener(
  path: ConfigPath,
  service: ServiceDraft,
  server: ServerEndpoint,
): readonly Finding[] {
  const same = present(service.listen).some(([, { address }]) => address === server.address);
  if (!same) return [];
  const message = `${server.address} is the virtual address itself`;
  return [errorAt(path, message, "use the server's own address")];
}

function checkHealthChecks(path: ConfigPath, service: ServiceDraft): readonly Finding[] {
  const { check, checks } = service;
  return [
    ...(check === undefined ? [] : checkHealthCheck([...path, 'check'], service, check)),
    ...present(checks).flatMap(([index, each]) =>
      checkHealthCheck([...path, 'checks', index], service, each),
    ),
  ];
}

function checkHealthCheck(
  here: ConfigPath,
  service: ServiceDraft,
  check: NonNullable<ServiceDraft['check']>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const { interval, timeout } = check;
  if (interval !== undefined && timeout !== undefined && timeout > interval) {
    const [long, short] = [formatDurationMs(timeout), formatDurationMs(interval)];
    const message = `${long} is longer than the interval ${short}: checks wait for each other`;
    findings.push(warningAt([...here, 'timeout'], message, 'make it shorter than the interval'));
  }
  const portless = present(service.servers).find(
    ([, server]) => server.address !== undefined && server.address.port === undefined,
  );
  if (commonPort(service) === 0 && check.port === undefined && portless !== undefined) {
    const message = `needs \`port\`, because servers[${portless[0]}] has none to check`;
    findings.push(errorAt(here, message, 'for example `port: 80`'));
  }
  if (check.type === 'http' || check.type === 'https') {
    findings.push(...checkBodyOfHead(here, check));
    for (const [index, request] of present(check.requests)) {
      findings.push(...checkBodyOfHead([...here, 'requests', index], request));
    }
  }
  return findings;
}

const bodyKeys = ['bodyContains', 'bodyMatches', 'bodyDigest', 'bodyJson'] as const;

/** An answer to HEAD never has what is demanded of its body. */
function checkBodyOfHead(
  path: ConfigPath,
  request: {
    readonly method: string | undefined;
    readonly expect: Readonly<Partial<Record<(typeof bodyKeys)[number], unknown>>>;
  },
): readonly Finding[] {
  if (request.method !== 'HEAD') return [];
  return bodyKeys
    .filter((key) => request.expect[key] !== undefined)
    .map((key) => {
      const message = 'cannot hold: the answer to HEAD has no body';
      return errorAt([...path, 'expect', key], message, 'use method GET');
    });
}
