/**
 * What runs in the thread of the peer channel: keeps one connection to the peer, tells it the state
 * and configuration of this node, and tells main what it says.
 */
import type { TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import type { LogLevel } from '../vrrp/protocol.js';
import { Remarks } from '../vrrp/remarks.js';
import type { OverrideRecord } from '../wire/overrideModel.js';
import type { PeerHello } from '../wire/peerMessage.js';
import { ChannelReport } from './channelReport.js';
import { PeerConnection } from './connection.js';
import { Connector } from './connector.js';
import { DataPort } from './dataPort.js';
import { Listener } from './listener.js';
import type { FromPeer, PeerRouters, PeerSettings, PeerSharedConfig } from './protocol.js';
import type { PeerDisconnectReason, PeerRefusalReason, PeerRefuser } from './reasons.js';
import type { PeerContent } from './session.js';

/** Reports go to main at every change, and this often. */
export const reportIntervalMs = 1_000;

/** State and configuration are sent again this often, so that a message that was dropped heals. */
export const completeIntervalMs = 10_000;

/** Connections that are introducing themselves; one more ends the oldest. */
export const greetingMax = 4;

/** What the engine needs from around it. */
export interface PeerEngineOptions {
  readonly post: (message: FromPeer) => void;
  /** Numbers in [0, 1) that spread the attempts to connect. */
  readonly random: () => number;
}

/** The channel of one node, until it is stopped. */
export class PeerEngine {
  readonly #options: PeerEngineOptions;
  readonly #report = new ChannelReport();
  readonly #remarks = new Remarks();
  readonly #reportTimer: NodeJS.Timeout;
  readonly #completeTimer: NodeJS.Timeout;
  /** Connections that are not introduced yet, and the one that is. */
  readonly #greeting = new Set<PeerConnection>();
  #open: PeerConnection | undefined;
  readonly #data = new DataPort();
  #settings: PeerSettings | undefined;
  #connector: Connector | undefined;
  #listener: Listener | undefined;
  #routers: PeerRouters = [];
  #routersAtMs = performance.now();
  #sharedConfig: PeerSharedConfig | undefined;
  #overrides: readonly OverrideRecord[] = [];

  constructor(options: PeerEngineOptions) {
    this.#options = options;
    this.#reportTimer = setInterval(() => this.#sendReport(), reportIntervalMs);
    this.#completeTimer = setInterval(() => this.#sendEverything(), completeIntervalMs);
  }

  /** Takes over settings. New keys keep a connection that was made with one that is still there. */
  configure(settings: PeerSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    const { keys: _, ...rest } = settings;
    const { keys: keysBefore, ...restBefore } = before ?? { keys: [] };
    if (before === undefined || !isDeepStrictEqual(rest, restBefore)) {
      this.#disconnect('reconfigured');
      this.#start(settings);
      return;
    }
    const isKept = (id: string): boolean =>
      isDeepStrictEqual(
        keysBefore.find((key) => key.id === id),
        settings.keys.find((key) => key.id === id),
      );
    for (const connection of [...this.#greeting, this.#open]) {
      if (connection !== undefined && !isKept(connection.keyId)) connection.close('key-removed');
    }
  }

  /** Takes the state of our own virtual routers and passes on what is new of it. */
  setRouters(routers: PeerRouters): void {
    const isNew = !isDeepStrictEqual(routers, this.#routers);
    this.#routers = routers;
    this.#routersAtMs = performance.now();
    if (isNew) this.#sendRouters();
  }

  /** Takes our own shared configuration and passes it on. */
  setSharedConfig(config: PeerSharedConfig): void {
    this.#sharedConfig = config;
    this.#sendConfig();
  }

  /** Takes the overrides that are known here and passes them on. */
  setOverrides(records: readonly OverrideRecord[]): void {
    this.#overrides = records;
    this.#sendOverrides();
  }

  /** Takes the port of a sync thread, whose messages travel over the connection. */
  setDataPort(port: MessagePort): void {
    this.#data.setPort(port);
  }

  /** Closes everything; nothing is posted after it. */
  stop(): void {
    this.#data.close();
    clearInterval(this.#reportTimer);
    clearInterval(this.#completeTimer);
    this.#disconnect('stopping');
    this.#settings = undefined;
  }

  #start(settings: PeerSettings): void {
    const connects = settings.node < settings.peer;
    this.#report.restart(connects ? 'connects' : 'listens', Date.now());
    if (connects) {
      this.#connector = new Connector({
        settings,
        key: () => this.#settings?.keys[0],
        random: this.#options.random,
        onSocket: (socket, keyId) => this.#greet(socket, keyId),
        onWrongKey: (detail) => this.#refused('wrong-key', 'peer', detail),
        onFailure: (reason, detail) => this.#failed(reason, detail),
      });
    } else {
      this.#listener = new Listener({
        settings,
        keys: () => this.#settings?.keys ?? [],
        onSocket: (socket, keyId) => this.#greet(socket, keyId),
        onWrongKey: (detail) => this.#refused('wrong-key', 'this-node', detail),
        onStranger: (address, detail) => this.#onStranger(address, detail),
        onListening: (address, problem) => {
          if (problem === undefined) return;
          this.#failed('unreachable', `cannot listen on ${address}: ${problem}`);
        },
      });
    }
    this.#sendReport();
  }

  #disconnect(reason: PeerDisconnectReason): void {
    this.#connector?.stop();
    this.#listener?.stop();
    this.#connector = undefined;
    this.#listener = undefined;
    for (const connection of [...this.#greeting, this.#open]) connection?.close(reason);
  }

  #greet(socket: TLSSocket, keyId: string): void {
    const settings = this.#settings;
    if (settings === undefined) return;
    const own: PeerHello = {
      protocolVersion: settings.protocolVersion,
      cluster: settings.cluster,
      node: settings.node,
      agentVersion: settings.agentVersion,
      startedUnixMs: settings.startedUnixMs,
    };
    const connection = new PeerConnection({
      socket,
      keyId,
      own,
      peer: settings.peer,
      stateAgeMs: () => performance.now() - this.#routersAtMs,
      events: {
        onOpened: (opened, hello) => this.#opened(opened, hello),
        onMessage: (from, message) => this.#take(from, message),
        onData: (from, bytes) => {
          if (from === this.#open) this.#data.deliver(bytes);
        },
        onRefused: (_from, { reason, by, detail }) => this.#refused(reason, by, detail),
        onClosed: (closed, reason, detail) => this.#closed(closed, reason, detail),
        onSkipped: () => this.#report.count('messagesSkipped'),
        onDropped: () => this.#report.count('messagesDropped'),
      },
    });
    this.#greeting.add(connection);
    const [oldest] = this.#greeting;
    if (this.#greeting.size > greetingMax) oldest?.close('replaced');
  }

  #opened(connection: PeerConnection, hello: PeerHello): void {
    const before = this.#open;
    this.#greeting.delete(connection);
    this.#open = connection;
    // The peer has one connection, so it knows nothing of the earlier one any more.
    before?.close('replaced');
    this.#connector?.succeeded();
    this.#report.connected(hello, Date.now());
    const fields = {
      address: connection.address,
      version: hello.agentVersion,
      key: connection.keyId,
    };
    this.#log('info', `connected with ${hello.node}`, fields);
    this.#sendEverything();
    this.#data.opened(connection);
    this.#sendReport();
  }

  #closed(connection: PeerConnection, reason: PeerDisconnectReason, detail: string): void {
    const wasOpen = this.#open === connection;
    this.#greeting.delete(connection);
    if (reason === 'heartbeat-timeout') this.#report.count('heartbeatTimeouts');
    if (reason === 'protocol-error') this.#report.count('protocolErrors');
    this.#connector?.lost(reason);
    if (!wasOpen) {
      if (this.#open === undefined && reason !== 'refused') this.#failed(reason, detail);
      return;
    }
    this.#open = undefined;
    this.#data.closed();
    this.#report.disconnected(reason, detail, Date.now());
    const name = this.#settings?.peer ?? 'the peer';
    this.#log('warn', `lost the connection with ${name}: ${reason}`, { reason, detail });
    this.#options.post({ type: 'peerConfig', config: null });
    this.#sendReport();
  }

  #take(connection: PeerConnection, message: PeerContent): void {
    if (connection !== this.#open) return;
    if (message.type === 'configDigest') {
      const { type: _, ...config } = message;
      this.#options.post({ type: 'peerConfig', config });
      return;
    }
    if (message.type === 'overrides') {
      this.#options.post({ type: 'peerOverrides', records: message.records });
      return;
    }
    // The clocks of two machines differ; ages do not.
    const offsetMs = Date.now() - message.sentUnixMs;
    const routers = message.routers.map((router) => ({
      ...router,
      sinceUnixMs: router.sinceUnixMs + offsetMs,
    }));
    if (this.#report.setRouters(routers)) this.#sendReport();
  }

  #refused(reason: PeerRefusalReason, by: PeerRefuser, detail: string): void {
    // While the peer is connected, somebody else at its address is not the peer.
    if (this.#open !== undefined) {
      this.#onStranger(this.#open.address, `${reason}: ${detail}`);
      return;
    }
    if (this.#report.refused(reason, by, detail, Date.now())) {
      const who = by === 'peer' ? `${this.#settings?.peer} refuses this node` : 'refused the peer';
      this.#log('error', `${who}: ${reason}`, { reason, by, detail });
    }
    this.#sendReport();
  }

  /** An attempt failed, or this node cannot listen. */
  #failed(reason: PeerDisconnectReason, detail: string): void {
    if (this.#open !== undefined) return;
    const isChange = this.#report.disconnected(reason, detail, Date.now());
    if (this.#isNews(`${reason} ${detail}`)) {
      const message = `no connection with ${this.#settings?.peer}: ${reason}`;
      this.#log('warn', message, { reason, detail });
    }
    if (isChange) this.#sendReport();
  }

  #onStranger(address: string, detail: string): void {
    this.#report.count('strangers');
    if (!this.#isNews(`${address} ${detail}`)) return;
    this.#log('warn', `turned away ${address}: ${detail}`, { address, detail });
  }

  /** Whether a line about something that repeats is due: once, and again after a while without. */
  #isNews(remark: string): boolean {
    return this.#remarks.isNews(remark, performance.now() * 1000);
  }

  #sendEverything(): void {
    this.#sendRouters();
    this.#sendConfig();
    this.#sendOverrides();
  }

  #sendOverrides(): void {
    this.#open?.send({ type: 'overrides', records: this.#overrides });
  }

  #sendRouters(): void {
    this.#open?.send({ type: 'vrrpState', sentUnixMs: Date.now(), routers: this.#routers });
  }

  #sendConfig(): void {
    if (this.#sharedConfig === undefined) return;
    this.#open?.send({ type: 'configDigest', ...this.#sharedConfig });
  }

  #sendReport(): void {
    if (this.#settings === undefined) return;
    this.#options.post({ type: 'report', report: this.#report.make(this.#open) });
  }

  #log(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): void {
    this.#options.post({ type: 'log', level, message, fields });
  }
}
