/** The way between the connection to the peer and the sync thread, as long as both are there. */
import type { MessagePort } from 'node:worker_threads';
import type { PeerConnection } from './connection.js';
import { deliveredBytesMax, type FromChannel, type ToChannel } from './dataProtocol.js';

/** Moves data of one sync thread at a time. */
export class DataPort {
  #port: MessagePort | undefined;
  #connection: PeerConnection | undefined;
  #deliveredBytes = 0;

  /** Takes the port of a sync thread in the place of an earlier one. */
  setPort(port: MessagePort): void {
    this.close();
    this.#port = port;
    port.on('message', (message: ToChannel) => {
      if (this.#port === port) this.#take(message);
    });
    port.once('close', () => {
      if (this.#port === port) this.#port = undefined;
    });
    if (this.#connection !== undefined) this.#post({ type: 'open' });
  }

  /** A connection is open; one of before is gone. */
  opened(connection: PeerConnection): void {
    this.closed();
    this.#connection = connection;
    this.#post({ type: 'open' });
  }

  /** There is no connection any more. */
  closed(): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#post({ type: 'closed' });
  }

  /** Data of the peer: the payload of a frame, which has its memory to itself. */
  deliver(bytes: Uint8Array): void {
    if (this.#port === undefined) return;
    if (this.#deliveredBytes + bytes.length > deliveredBytesMax) {
      this.#post({ type: 'dropped', sent: 0, received: 1 });
      return;
    }
    this.#deliveredBytes += bytes.length;
    const { buffer } = bytes;
    this.#post({ type: 'data', bytes }, buffer instanceof ArrayBuffer ? [buffer] : []);
  }

  /** Lets go of the sync thread. */
  close(): void {
    const port = this.#port;
    this.#port = undefined;
    this.#deliveredBytes = 0;
    port?.close();
  }

  #take(message: ToChannel): void {
    if (message.type === 'taken') {
      this.#deliveredBytes = Math.max(0, this.#deliveredBytes - message.bytes);
      return;
    }
    // What is sent while there is no connection is told as lost, like what does not fit.
    if (this.#connection?.sendData(message.bytes) === true) return;
    this.#post({ type: 'dropped', sent: 1, received: 0 });
  }

  #post(message: FromChannel, transfer: readonly ArrayBuffer[] = []): void {
    this.#port?.postMessage(message, [...transfer]);
  }
}
