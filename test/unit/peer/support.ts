/** Short ways to make what the peer channel is about, and threads of it on the loopback. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { type PeerThread, startPeerThread } from '../../../src/peer/client.js';
import type {
  FromPeer,
  PeerReport,
  PeerRouters,
  PeerSettings,
  PeerSharedConfig,
} from '../../../src/peer/protocol.js';
import { ipAddress } from '../../../src/wire/ipAddress.js';
import type { OverrideRecord } from '../../../src/wire/overrideModel.js';
import { type PeerHello, peerProtocolVersion } from '../../../src/wire/peerMessage.js';
import { waitFor } from '../../tools/waiting.js';

/** Two keys that are not secret. */
export const keyA = { id: 'a', hex: '11'.repeat(32) };
/** See {@link keyA}. */
export const keyB = { id: 'b', hex: '22'.repeat(32) };

/** A hello of lb1, the peer of lb2 in cluster web. */
export function makeHello(changes: Partial<PeerHello> = {}): PeerHello {
  return {
    protocolVersion: 1,
    cluster: 'web',
    node: 'lb1',
    agentVersion: '0.1.0',
    startedUnixMs: 1_000,
    ...changes,
  };
}

/** One virtual router of one director. */
export function makeRouter(changes: Partial<PeerRouters[number]> = {}): PeerRouters[number] {
  return {
    name: 'outside',
    vrid: 51,
    state: 'backup',
    effectivePriority: 100,
    addresses: ['192.0.2.100/24'],
    sinceUnixMs: 1_000,
    reason: 'startup',
    ...changes,
  };
}

/** The loopback addresses of the two nodes of a test. */
export const ownAddresses = { lb1: ipAddress('127.0.0.1'), lb2: ipAddress('127.0.0.2') } as const;

/** A port that is free on the address of the one who listens, lb2. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, ownAddresses.lb2, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** Settings of one node of the pair on the loopback. */
export function makeSettings(
  node: 'lb1' | 'lb2',
  port: number,
  changes: Partial<PeerSettings> = {},
): PeerSettings {
  const peer = node === 'lb1' ? 'lb2' : 'lb1';
  return {
    protocolVersion: peerProtocolVersion,
    cluster: 'web',
    node,
    agentVersion: '0.1.0',
    startedUnixMs: 1_000,
    peer,
    port,
    paths: [{ own: ownAddresses[node], peer: ownAddresses[peer] }],
    keys: [keyA],
    ...changes,
  };
}

/** A running thread of the channel, and what it has said. */
export class WatchedPeer {
  readonly thread: PeerThread;
  readonly logs: string[] = [];
  report: PeerReport | undefined;
  config: PeerSharedConfig | null | undefined;
  overrides: readonly OverrideRecord[] | undefined;

  constructor(context: TestContext, settings: PeerSettings, networkNamespacePath?: string) {
    this.thread = startPeerThread({
      onMessage: (message) => this.#take(message),
      ...(networkNamespacePath === undefined ? {} : { networkNamespacePath }),
    });
    context.after(() => this.thread.stop());
    this.configure(settings);
  }

  configure(settings: PeerSettings): void {
    this.thread.post({ type: 'configure', settings });
  }

  /** Waits until the report is as wanted. */
  waitFor(what: string, isWanted: (report: PeerReport) => boolean): Promise<PeerReport> {
    return waitFor(what, () => (this.report && isWanted(this.report) ? this.report : undefined), {
      evidence: () => JSON.stringify({ report: this.report, logs: this.logs }),
    });
  }

  /** Waits until it is connected, for the n-th time when that is given. */
  connected(connections = 1): Promise<PeerReport> {
    return this.waitFor(
      `connection ${connections}`,
      (report) => report.connected && report.counters.connections >= connections,
    );
  }

  #take(message: FromPeer): void {
    if (message.type === 'report') this.report = message.report;
    if (message.type === 'peerOverrides') this.overrides = message.records;
    if (message.type === 'peerConfig') this.config = message.config;
    if (message.type === 'log') this.logs.push(`${message.level}: ${message.message}`);
  }
}
