/** A whole lab: the network, the real servers and the directors' agents. */
import { rmSync } from 'node:fs';
import { TandemError } from '../errors.js';
import { applyRealServer } from '../host/realServer.js';
import { realServerPlan } from '../host/realServerPlan.js';
import { familyOf } from '../wire/ipAddress.js';
import type { KernelKind } from './kernelChoice.js';
import { LabAgent } from './labAgent.js';
import { LabNetwork, namespaceName, namespaceNames } from './labNetwork.js';
import { realServerStatePath, writeLabPrograms } from './labPrograms.js';
import {
  createLabFolder,
  identifyProcess,
  type LabRecord,
  type ProcessIdentity,
  writeLabRecord,
} from './labRegistry.js';
import { LabThread } from './labThread.js';
import { onProcessEnd } from './processEnd.js';
import type {
  RealServerReply,
  RealServerRequest,
  RealServerSettings,
  ServerBehaviour,
  ServerPort,
} from './realServerProtocol.js';
import { selfSignedCertificate } from './selfSignedCertificate.js';
import { directorNames, type Topology } from './topology.js';

/** A thread that plays a real server. */
type RealServerThread = LabThread<RealServerSettings, RealServerRequest, RealServerReply>;

/** A lab. Everything that it makes on the machine is gone after {@link remove}. */
export class Lab {
  readonly id: string;
  readonly folder: string;
  readonly topology: Topology;
  readonly network: LabNetwork;
  readonly agents: ReadonlyMap<string, LabAgent>;
  readonly #kernel: KernelKind;
  #purpose: LabRecord['purpose'];
  readonly #createdUnixMs = Date.now();
  readonly #servers = new Map<string, RealServerThread>();
  readonly #unregister: () => boolean;
  #ready = false;

  /** Builds the network and writes the configurations; nothing runs yet. */
  constructor(topology: Topology, kernel: KernelKind, purpose: LabRecord['purpose']) {
    const { id, folder } = createLabFolder();
    this.id = id;
    this.folder = folder;
    this.topology = topology;
    this.#kernel = kernel;
    this.#purpose = purpose;
    // On record before anything exists, so that whatever happens next can be cleaned up.
    this.#writeRecord([]);
    this.#unregister = onProcessEnd(() => this.#removeNow());
    try {
      writeLabPrograms(folder);
      this.network = new LabNetwork(topology, id);
      this.agents = new Map(
        directorNames(topology).map((node) => [
          node,
          new LabAgent(node, topology, this.network.namespace(node), folder),
        ]),
      );
    } catch (error) {
      this.#unregister();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Prepares the real servers, starts them and makes them healthy. */
  async startServers(): Promise<void> {
    const ports = serverPorts(this.topology);
    const certificate = ports.some(({ tls }) => tls) ? selfSignedCertificate('lab') : undefined;
    for (const { node, address } of this.topology.servers) {
      this.#prepareServer(node);
      const settings: RealServerSettings = {
        name: node,
        family: familyOf(address),
        ports,
        ...(certificate === undefined ? {} : { certificate }),
      };
      const namespace = namespaceName(this.id, node);
      this.#servers.set(node, new LabThread('drill/realServerThread', node, namespace, settings));
    }
    await Promise.all([...this.#servers.keys()].map((node) => this.setServer(node, 'healthy')));
  }

  /** Does what `tandem realserver apply` does on a server. */
  #prepareServer(node: string): void {
    const { forward, services } = this.topology;
    if (forward === 'nat') return;
    const addresses = services.flatMap(({ listeners }) => listeners.map(({ address }) => address));
    const plan = realServerPlan(forward, [...new Set(addresses)]);
    const missing = this.network
      .namespace(node)
      .run(() => applyRealServer(plan, realServerStatePath(this.folder, node)));
    if (missing.length > 0) {
      const kinds = missing.map(({ kind }) => kind).join(', ');
      throw new TandemError(
        'LAB_FAILED',
        `the real server ${node} could not be prepared: ${kinds}`,
      );
    }
  }

  /** Changes how a real server behaves; returns when it did, monotonic microseconds. */
  async setServer(node: string, behaviour: ServerBehaviour): Promise<number> {
    const thread = this.#servers.get(node);
    if (thread === undefined) throw new TandemError('LAB_FAILED', `no real server ${node}`);
    return (await thread.call({ behaviour })).atUs;
  }

  /** Starts a director's agent. */
  startAgent(node: string): void {
    this.agent(node).start();
    this.#writeRecord(this.#agentProcesses());
  }

  /** Puts on record that the lab works and is kept up. */
  markReady(): void {
    this.#ready = true;
    this.#purpose = 'up';
    this.#writeRecord(this.#agentProcesses());
  }

  /** The agent of a director. */
  agent(node: string): LabAgent {
    const agent = this.agents.get(node);
    if (agent === undefined) throw new TandemError('LAB_FAILED', `no director ${node}`);
    return agent;
  }

  /** Ends the real servers in order, then everything else. Can be called again. */
  async remove(): Promise<void> {
    const threads = [...this.#servers.values()];
    this.#servers.clear();
    for (const agent of this.agents.values()) agent.signal('SIGKILL');
    await Promise.all(threads.map((thread) => thread.stop()));
    if (this.#unregister()) this.#removeNow();
  }

  /** The synchronous part, which must do on its own when the process is ending. */
  #removeNow(): void {
    for (const agent of this.agents?.values() ?? []) agent.signal('SIGKILL');
    this.network?.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #agentProcesses(): readonly ProcessIdentity[] {
    return [...this.agents.values()].flatMap(({ identity }) =>
      identity === undefined ? [] : [identity],
    );
  }

  #writeRecord(processes: readonly ProcessIdentity[]): void {
    const owner = identifyProcess(process.pid);
    if (owner === undefined) throw new TandemError('INTERNAL', '/proc does not show this process');
    writeLabRecord({
      id: this.id,
      folder: this.folder,
      topology: this.topology.name,
      kernel: this.#kernel,
      purpose: this.#purpose,
      owner,
      namespaces: namespaceNames(this.topology, this.id),
      processes,
      createdUnixMs: this.#createdUnixMs,
      ready: this.#ready,
    });
  }
}

/** The ports of all services, each once. */
function serverPorts({ services }: Topology): readonly ServerPort[] {
  const listeners = services.flatMap((service) => service.listeners);
  const ports = new Map(listeners.map(({ port, tls }) => [port, { port, tls: tls === true }]));
  return [...ports.values()];
}
