/** Collects what the configuration file and the agent say. */
import { existsSync } from 'node:fs';
import { fetchStatus } from '../../api/client.js';
import type { StatusDocument } from '../../api/statusModel.js';
import type { TandemConfig } from '../../config/model.js';
import { type NodeChoice, readConfigFile } from '../../config/read.js';
import { TandemError } from '../../errors.js';
import { syncRequirements } from '../../host/syncRequirements.js';
import { isModuleAvailable } from '../../kernel/kernelModules.js';
import { familyOf } from '../../wire/ipAddress.js';
import { formatServiceIdentity } from '../../wire/ipvsText.js';
import type { AgentFacts, ConfigurationFacts } from '../facts.js';

/** How long the agent may take to answer, in milliseconds. */
const answerTimeoutMs = 5_000;

/** Problems of a file beyond this many are counted only. */
const problemsMax = 10;

/** The file; one that is not there is nothing wrong unless it was asked for. */
export async function collectConfiguration(
  path: string,
  isRequired: boolean,
  choice: NodeChoice,
): Promise<{ readonly facts: ConfigurationFacts; readonly config?: TandemConfig }> {
  if (!isRequired && !existsSync(path)) return { facts: { kind: 'none' } };
  try {
    const { config } = readConfigFile(path, choice);
    return { facts: await factsOf(path, config), config };
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    const problems = error.message.split('\n');
    const more = problems.length - problemsMax;
    const shown = problems.slice(0, problemsMax);
    return {
      facts: {
        kind: 'bad',
        path,
        problems: more > 0 ? [...shown, `and ${more} more`] : shown,
      },
    };
  }
}

async function factsOf(path: string, config: TandemConfig): Promise<ConfigurationFacts> {
  const { services, virtualRouters, nodes, node, system, connectionSync } = config;
  const schedulers = new Map<string, boolean>();
  for (const { settings } of services) {
    const available = await isModuleAvailable(`ip_vs_${settings.scheduler}`);
    schedulers.set(settings.scheduler, available !== false);
  }
  return {
    kind: 'read',
    path,
    services: services.map(({ name, listeners, settings }) => ({
      name,
      listeners: listeners.map(formatServiceIdentity),
      scheduler: settings.scheduler,
      schedulerAvailable: schedulers.get(settings.scheduler) !== false,
    })),
    virtualAddresses: virtualRouters.flatMap(({ addresses }) =>
      addresses.map(({ prefix }) => prefix.address),
    ),
    marks: services.flatMap(({ listeners: [first], marks }) =>
      first?.kind !== 'fwmark' || marks === undefined
        ? []
        : [
            {
              fwmark: first.fwmark,
              family: first.family,
              addresses: [...new Set(marks.map(({ address }) => address))],
            },
          ],
    ),
    advertisements: virtualRouters.flatMap(({ interface: name, addresses: [first] }) =>
      first === undefined
        ? []
        : [{ interface: name, family: familyOf(first.prefix.address) } as const],
    ),
    peers: nodes.filter(({ name }) => name !== node.name).map(({ address }) => address),
    masquerades: system.masquerade.length > 0,
    connectionSync: connectionSync.mode,
    syncRequirements: syncRequirements(config),
  };
}

/** The agent at a socket, or why none answers. */
export async function collectAgent(socket: string): Promise<AgentFacts> {
  try {
    return agentFacts(socket, await fetchStatus(socket, answerTimeoutMs));
  } catch (error) {
    if (!(error instanceof TandemError)) throw error;
    return { kind: 'absent', socket, message: error.message };
  }
}

function agentFacts(socket: string, status: StatusDocument): AgentFacts {
  const { virtualRouters, peer, ipvs, host, connectionSync, configuration, threads } = status;
  const { lastReload } = configuration;
  const troubles = [
    ...(ipvs.lastError === null ? [] : [`the kernel's table: ${ipvs.lastError}`]),
    ...(host.lastError === null ? [] : [`the firewall: ${host.lastError}`]),
    ...(connectionSync.lastError === null ? [] : [`connection sync: ${connectionSync.lastError}`]),
    ...(connectionSync.relay?.portsProtected === false
      ? ['the firewall: any local user can send to the sync ports; install nftables or iptables']
      : []),
    ...(lastReload?.ok === false ? [`the last reload: ${lastReload.message}`] : []),
    ...(threads.vrrp.running ? [] : ['the thread of the election does not run']),
    ...(threads.health.running ? [] : ['the thread of the checks does not run']),
  ];
  return {
    kind: 'running',
    socket,
    active: virtualRouters.filter(({ state }) => state === 'active').map(({ name }) => name),
    splitBrain: peer.configured ? peer.splitBrain.map(({ router }) => router) : [],
    troubles,
  };
}
