/** A netlink socket: datagrams to and from the kernel, with bounded waits. */
import { netlinkAddressStruct } from './linuxStructs.js';
import { nowUs } from './monotonicClock.js';
import { pollReadable } from './pollLoop.js';
import { receiveMessage } from './socketMessage.js';
import {
  addressFamily,
  growReceiveBuffer,
  openSocket,
  readSocketOption,
  socketOption,
  trySocketOption,
} from './socketOptions.js';
import { hostIsLittleEndian } from './structLayout.js';
import { checked, closeDescriptor, closeOnFailure, libc, systemCallError } from './systemCall.js';

/** Netlink families (netlink.h). */
export const netlinkFamily = { route: 0, generic: 16 } as const;

/** Answers to a whole window of requests wait here, and events through a stall of their reader. */
const receiveBufferBytes = 4_194_304;
const sendBufferBytes = 1_048_576;
const errnoAgain = 11;
const errnoNoBufferSpace = 105;
const errnoMessageSize = 90;

/** Receiving found that the kernel had dropped messages for this socket (ENOBUFS). */
export const overrun = Symbol('overrun');

/** A non-blocking netlink socket in the namespace that it was opened in. */
export class NetlinkSocket {
  readonly fd: number;
  /** What the receive buffer holds, in bytes, by the kernel's own accounting. */
  readonly receiveBufferBytes: number;
  readonly #name: string;

  /** @param groups bit mask of the multicast groups to hear */
  constructor(family: keyof typeof netlinkFamily, groups = 0) {
    this.#name = `netlink ${family}`;
    const context = this.#name;
    this.fd = openSocket(addressFamily.netlink, 'raw', netlinkFamily[family], { context });
    this.receiveBufferBytes = closeOnFailure(this.fd, () => {
      const address = netlinkAddressStruct.encode({ family: addressFamily.netlink, groups });
      checked(libc.bind(this.fd, address, address.length), 'bind', { context });
      growReceiveBuffer(this.fd, receiveBufferBytes);
      trySocketOption(this.fd, socketOption.sendBufferForce, sendBufferBytes);
      // Each makes answers better and is absent from some kernel that still works without it.
      trySocketOption(this.fd, socketOption.netlinkExtAck, 1);
      trySocketOption(this.fd, socketOption.netlinkCapAck, 1);
      trySocketOption(this.fd, socketOption.netlinkStrictCheck, 1);
      return readSocketOption(this.fd, socketOption.receiveBuffer);
    });
  }

  /**
   * Hands messages to the kernel in one call. rtnetlink works them off before the call returns,
   * so that it may wait for another holder of the kernel's lock.
   */
  send(messages: Uint8Array): void {
    const sent = libc.send(this.fd, messages, messages.length, 0);
    checked(sent, 'send', { context: `${this.#name}, ${messages.length} bytes` });
  }

  /**
   * The next datagram of the kernel, `overrun`, or `undefined` when there is none. The bytes lie
   * in shared memory and are gone with the next receive of this thread.
   */
  receive(): Buffer | typeof overrun | undefined {
    for (;;) {
      const length = receiveMessage.receive(this.fd);
      if (length === -errnoAgain) return undefined;
      if (length === -errnoNoBufferSpace) return overrun;
      if (length < 0) throw systemCallError('recvmsg', -length, { context: this.#name });
      if (receiveMessage.truncated) {
        throw systemCallError('recvmsg', errnoMessageSize, { context: this.#name });
      }
      const portAt = netlinkAddressStruct.offsets.port;
      const sender = receiveMessage.nameView.getUint32(portAt, hostIsLittleEndian);
      // Only the kernel has port 0; what another process sends is nothing to us.
      if (sender !== 0) continue;
      const { buffer, byteOffset } = receiveMessage.data;
      return Buffer.from(buffer, byteOffset, length);
    }
  }

  /** As {@link receive}, but waits for it until a deadline on the monotonic clock. */
  receiveBefore(deadlineUs: number): Buffer | typeof overrun | undefined {
    for (;;) {
      const datagram = this.receive();
      if (datagram !== undefined) return datagram;
      const leftUs = deadlineUs - nowUs();
      if (leftUs <= 0) return undefined;
      pollReadable([this.fd], leftUs);
    }
  }

  close(): void {
    closeDescriptor(this.fd);
  }
}
