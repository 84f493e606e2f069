/**
 * The other end of a connection, for probes that speak a protocol of their own: bytes are written,
 * and what comes is taken by the line or by the packet.
 *
 * An exchange is written as if nothing could go wrong. The deadline, an error, an early end and too
 * many bytes settle the probe from outside; whatever the exchange waits for then never comes, and
 * it is forgotten with its promise.
 */
import type { Socket } from 'node:net';
import type { TlsSettings } from '../probeSpec.js';
import { type ConnectionOptions, openConnection, secure } from './connection.js';
import { failed, inconclusive, type ProbeOutcome, type ProbeTarget } from './probe.js';

/** Bytes that a server may send in one exchange. No protocol here needs a tenth of it. */
export const exchangeBytesMax = 65_536;

/** Characters of what came that a detail shows. */
const snippetLength = 100;

/** What an exchange can do. */
export interface Peer {
  /** The present socket: TLS after {@link Peer.secure}. */
  readonly socket: Socket;
  write(bytes: string | Uint8Array): void;
  /**
   * Waits until enough has come and takes it: `measure` tells how many of the bytes belong
   * together, or `undefined` while there are not enough. `what` names it in a detail.
   */
  take(what: string, measure: (bytes: Buffer) => number | undefined): Promise<Buffer>;
  /** The same, but what there is when the server ends is enough too, unless it is nothing. */
  takeToEnd(what: string, measure: (bytes: Buffer) => number | undefined): Promise<Buffer>;
  /** Speaks TLS from here on. */
  secure(tls: TlsSettings): Promise<void>;
  /** Settles the probe; what comes after it is not run. */
  end(outcome: ProbeOutcome): Promise<never>;
}

/** A conversation over one connection, from the greeting to the outcome. */
export type Exchange = (peer: Peer) => Promise<ProbeOutcome>;

/** Connects, converses and disconnects, all within the deadline. */
export function converse(
  target: ProbeTarget,
  options: ConnectionOptions,
  signal: AbortSignal,
  exchange: Exchange,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    let peer: SocketPeer | undefined;
    const settle = (outcome: ProbeOutcome): void => {
      resolve(outcome);
      signal.removeEventListener('abort', onDeadline);
      peer?.close();
      connection.destroy();
    };
    const onDeadline = (): void => {
      const progress = connection.progress() ?? peer?.progress ?? 'connected';
      settle(failed('timeout', progress));
    };
    const connection = openConnection(target, options, {
      failed: (outcome) => settle(outcome),
      ready: (socket) => {
        peer = new SocketPeer(socket, target, settle);
        exchange(peer).then(settle, (error: unknown) => {
          settle(
            inconclusive('internal-error', error instanceof Error ? error.message : 'unknown'),
          );
        });
      },
    });
    if (signal.aborted) onDeadline();
    else signal.addEventListener('abort', onDeadline, { once: true });
  });
}

interface Wish {
  readonly what: string;
  readonly measure: (bytes: Buffer) => number | undefined;
  readonly resolve: (bytes: Buffer) => void;
  /** Whether the end of the connection ends this as well. */
  readonly endIsEnough: boolean;
}

class SocketPeer implements Peer {
  #socket: Socket;
  readonly #target: ProbeTarget;
  readonly #settle: (outcome: ProbeOutcome) => void;
  #received: Buffer = Buffer.alloc(0);
  #total = 0;
  #ended = false;
  #wish: Wish | undefined;
  #detach: () => void = () => undefined;

  constructor(socket: Socket, target: ProbeTarget, settle: (outcome: ProbeOutcome) => void) {
    this.#socket = socket;
    this.#target = target;
    this.#settle = settle;
    this.#attach();
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** What is waited for, and what has come of it. */
  get progress(): string {
    const what = this.#wish?.what ?? 'the end';
    return `connected, but ${what} did not come in time${this.#snippet()}`;
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  take(what: string, measure: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    return this.#want({ what, measure, endIsEnough: false });
  }

  takeToEnd(what: string, measure: (bytes: Buffer) => number | undefined): Promise<Buffer> {
    return this.#want({ what, measure, endIsEnough: true });
  }

  secure(tls: TlsSettings): Promise<void> {
    if (this.#received.length > 0) {
      // Whatever was said in the clear must not count as said in the session.
      return this.end(failed('malformed-response', `more than the answer came${this.#snippet()}`));
    }
    this.#detach();
    return new Promise((resolve) => {
      this.#wish = {
        what: 'the end of the TLS handshake',
        measure: () => undefined,
        resolve: () => undefined,
        endIsEnough: false,
      };
      const plain = this.#socket;
      this.#socket = secure(
        plain,
        { target: this.#target, tls },
        {
          failed: this.#settle,
          ready: () => {
            this.#wish = undefined;
            this.#attach();
            resolve();
          },
        },
      );
    });
  }

  end(outcome: ProbeOutcome): Promise<never> {
    this.#settle(outcome);
    return new Promise(() => undefined);
  }

  /** Lets go of everything that came. */
  close(): void {
    this.#detach();
    this.#wish = undefined;
    this.#received = Buffer.alloc(0);
    this.#socket.destroy();
  }

  #want(wish: Omit<Wish, 'resolve'>): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#wish = { ...wish, resolve };
      this.#grant();
    });
  }

  #attach(): void {
    const socket = this.#socket;
    const onData = (chunk: Buffer): void => {
      this.#total += chunk.length;
      if (this.#total > exchangeBytesMax) {
        const detail = `more than ${exchangeBytesMax} bytes came${this.#snippet()}`;
        this.#settle(failed('too-large', detail));
        return;
      }
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#grant();
    };
    const onEnd = (): void => {
      this.#ended = true;
      this.#grant();
    };
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    this.#detach = () => {
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      socket.pause();
    };
  }

  #grant(): void {
    const wish = this.#wish;
    if (wish === undefined) return;
    const rest = this.#ended && wish.endIsEnough ? this.#received.length : 0;
    const length = wish.measure(this.#received) ?? (rest > 0 ? rest : undefined);
    if (length !== undefined) {
      this.#wish = undefined;
      const taken = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      wish.resolve(taken);
    } else if (this.#ended) {
      const detail = `the server closed the connection before ${wish.what}${this.#snippet()}`;
      this.#settle(failed('truncated', detail));
    }
  }

  #snippet(): string {
    if (this.#received.length === 0) return '';
    return `: "${this.#received.toString('latin1', 0, snippetLength)}"`;
  }
}

/** Measures a line with its LF. */
export function measureLine(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(0x0a);
  return end < 0 ? undefined : end + 1;
}

/** Takes a line, without its end. */
export async function takeLine(peer: Peer, what: string): Promise<string> {
  const bytes = await peer.take(what, measureLine);
  return bytes.toString('latin1').replace(/\r?\n$/, '');
}
