/** Two kernels that sync by themselves: the peer of the relay in its benchmark. */
import { execFileSync } from 'node:child_process';
import {
  createNetworkNamespace,
  type NetworkNamespace,
} from '../../src/kernel/networkNamespace.js';
import { writeSysctl } from '../../src/kernel/sysctl.js';
import { ipAddress } from '../../src/wire/ipAddress.js';
import { countedConnections, Flood } from './syncFlood.js';

const virtualAddress = '10.77.0.100';
const serverAddresses = ['10.77.0.10', '10.77.0.20'] as const;

/** A master and a backup, joined by a cable on which the master multicasts. */
export class KernelPair {
  readonly #master: NetworkNamespace;
  readonly #backup: NetworkNamespace;
  readonly #servicePort: number;

  constructor(servicePort: number) {
    this.#servicePort = servicePort;
    this.#master = createNetworkNamespace(`tandem-sync-${process.pid}-master`);
    this.#backup = createNetworkNamespace(`tandem-sync-${process.pid}-backup`);
    const peer = this.#backup.name;
    this.#master.run(() => {
      ip('link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'wire', 'netns', peer);
      this.#prepare('10.88.1.1/24', 'master');
    });
    this.#backup.run(() => this.#prepare('10.88.1.2/24', 'backup'));
  }

  flood(): Flood {
    return this.#master.run(() => new Flood(ipAddress(virtualAddress), this.#servicePort));
  }

  /** Connections that the backup knows. */
  arrived(): number {
    return this.#backup.run(() => countedConnections(this.#servicePort));
  }

  remove(): void {
    for (const [namespace, role] of [
      [this.#master, 'master'],
      [this.#backup, 'backup'],
    ] as const) {
      namespace.run(() => ipvsadm('--stop-daemon', role));
      namespace.remove();
    }
  }

  #prepare(prefix: string, role: 'master' | 'backup'): void {
    ip('address', 'add', prefix, 'dev', 'wire');
    ip('link', 'set', 'wire', 'up');
    for (const address of [virtualAddress, ...serverAddresses]) {
      ip('address', 'add', `${address}/32`, 'dev', 'lo');
    }
    const service = `${virtualAddress}:${this.#servicePort}`;
    ipvsadm('-A', '-u', service, '-s', 'rr');
    for (const address of serverAddresses) {
      ipvsadm('-a', '-u', service, '-r', `${address}:9000`, '-m');
    }
    // As the relay sets them: with the kernel's own, no connection of one packet is told at all.
    writeSysctl('net.ipv4.vs.sync_threshold', '0 0');
    writeSysctl('net.ipv4.vs.sync_refresh_period', 10);
    ipvsadm('--start-daemon', role, '--mcast-interface', 'wire', '--syncid', '1');
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', [...args]);
}

function ipvsadm(...args: readonly string[]): void {
  execFileSync('ipvsadm', [...args]);
}
