/**
 * The sockets of all sessions, kept in step with the kernel's interfaces: one listener for the
 * sessions of an interface and family, or of a multihop source address, and one sender for each
 * session. A socket whose interface or address has changed is opened anew.
 */
import {
  type BfdListener,
  type BfdListenerOptions,
  type BfdSender,
  openBfdListener,
  openBfdSender,
} from '../kernel/bfdSocket.js';
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import type { BfdSessionSpec } from './protocol.js';
import type { ReceivedBfdDatagram } from './sessionTable.js';

/**
 * Most packets that one turn reads from one socket. The kernel's receive buffer holds fewer, so
 * what waited when the turn began is always read; a flood that outruns it cannot hold the loop.
 */
export const bfdPacketsPerTurnMax = 2048;

/** Where a session's packets go out and come in. */
export interface SessionPath {
  readonly spec: BfdSessionSpec;
  readonly source: IpAddress;
  readonly interfaceIndex: number;
}

interface OpenListener {
  readonly listener: BfdListener;
  readonly multihop: boolean;
  /** The interface of its sessions; of no meaning for multihop ones. */
  readonly interface: string;
}

interface OpenSender {
  readonly sender: BfdSender;
  readonly path: SessionPath;
}

/** What could not be opened or read, and why. */
export type SocketFailure = (subject: string, error: unknown) => void;

/** All sockets of BFD. */
export class SessionSockets {
  readonly #listeners = new Map<string, OpenListener>();
  readonly #senders = new Map<string, OpenSender>();

  /** Descriptors to wait for. */
  get fds(): readonly number[] {
    return [...this.#listeners.values()].map(({ listener }) => listener.fd);
  }

  /** Whether a session can send. One of the same name with another peer is another one. */
  isOpen(spec: BfdSessionSpec): boolean {
    return this.#senderOf(spec) !== undefined;
  }

  /**
   * Opens what the paths need and closes the rest; a session whose sockets cannot be had is left
   * without, and told of.
   */
  follow(paths: readonly SessionPath[], onFailure: SocketFailure): void {
    const listeners = new Set(paths.map(listenerKey));
    const senders = new Map(paths.map((path) => [path.spec.name, senderIdentity(path)]));
    for (const [key, { listener }] of [...this.#listeners]) {
      if (listeners.has(key)) continue;
      listener.close();
      this.#listeners.delete(key);
    }
    for (const [name, { path }] of [...this.#senders]) {
      if (senders.get(name) !== senderIdentity(path)) this.#closeSender(name);
    }
    for (const path of paths) {
      try {
        this.#openFor(path);
      } catch (error) {
        this.#closeSender(path.spec.name);
        onFailure(path.spec.name, error);
      }
    }
  }

  /** Reads every socket dry. A socket that fails is closed, and opened anew by the next look. */
  receiveAll(onFailure: SocketFailure): readonly ReceivedBfdDatagram[] {
    const datagrams: ReceivedBfdDatagram[] = [];
    for (const [key, open] of [...this.#listeners]) {
      const { listener, multihop } = open;
      try {
        for (let count = 0; count < bfdPacketsPerTurnMax; count += 1) {
          const packet = listener.receive();
          if (packet === undefined) break;
          const { receivedAtUs, ...rest } = packet;
          datagrams.push({
            ...rest,
            multihop,
            interface: open.interface,
            receivedUs: receivedAtUs,
          });
        }
      } catch (error) {
        listener.close();
        this.#listeners.delete(key);
        onFailure(key, error);
      }
    }
    return datagrams;
  }

  /** Sends one packet of a session; false when it has no socket at present. Throws SYSTEM_CALL. */
  send(spec: BfdSessionSpec, packet: Uint8Array): boolean {
    const sender = this.#senderOf(spec);
    sender?.send(packet);
    return sender !== undefined;
  }

  close(): void {
    this.follow([], () => undefined);
  }

  #openFor(path: SessionPath): void {
    const { spec, source, interfaceIndex } = path;
    const key = listenerKey(path);
    if (!this.#listeners.has(key)) {
      const options: BfdListenerOptions = spec.multihop
        ? { hops: 'multi', source, interfaceIndex }
        : { hops: 'single', family: familyOf(spec.peer), interface: spec.interface };
      const listener = openBfdListener(options);
      const { multihop } = spec;
      this.#listeners.set(key, { listener, multihop, interface: spec.interface });
    }
    if (this.#senders.has(spec.name)) return;
    const { peer, multihop } = spec;
    // Sessions that are made at the same time look for free ports from different places on.
    const portChoice = this.#senders.size * 251 + process.pid;
    const sender = openBfdSender({
      source,
      peer,
      multihop,
      interface: spec.interface,
      interfaceIndex,
      portChoice,
    });
    this.#senders.set(spec.name, { sender, path });
  }

  #senderOf({ name, peer, interface: interfaceName, multihop }: BfdSessionSpec) {
    const open = this.#senders.get(name);
    if (open === undefined) return undefined;
    const { spec } = open.path;
    const isSame =
      spec.peer === peer && spec.interface === interfaceName && spec.multihop === multihop;
    return isSame ? open.sender : undefined;
  }

  #closeSender(name: string): void {
    this.#senders.get(name)?.sender.close();
    this.#senders.delete(name);
  }
}

/** The index is part of it: an interface that was made anew under its name is another one. */
function listenerKey({ spec, source, interfaceIndex }: SessionPath): string {
  return spec.multihop
    ? `multihop ${source}`
    : `${spec.interface}/${interfaceIndex} IPv${familyOf(spec.peer)}`;
}

function senderIdentity({ spec, source, interfaceIndex }: SessionPath): string {
  return `${source} ${spec.peer} ${spec.interface}/${interfaceIndex} ${spec.multihop}`;
}
