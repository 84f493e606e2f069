/** Makes the advertisements that the election asks for, and sends them. */
import { nowUs } from '../kernel/monotonicClock.js';
import { virtualRouterMacAddress } from '../wire/ethernet.js';
import { familyOf, type IpAddress } from '../wire/ipAddress.js';
import { vrrpGroup } from '../wire/vrrp.js';
import { encodeAdvertisementFrame } from '../wire/vrrpFrame.js';
import type { Authenticators } from './authenticators.js';
import type { RouterEffect } from './election.js';
import type { InterfacePort } from './interfacePort.js';
import type { InterfacePorts } from './interfacePorts.js';
import { type OutgoingAdvertisement, outgoingAdvertisements } from './outgoingAdvertisements.js';
import { senderAddress } from './portIdentity.js';
import type { VirtualRouterSpec } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';
import type { Reporter } from './reporter.js';

/**
 * Longest message that goes into a frame of ours: what every link carries (RFC 8200, 5), without
 * the header. A longer one must be fragmented, which only the kernel does.
 */
const frameMessageBytesMax = 1240;

/** Who sends, and from where. */
interface Sender {
  readonly router: RouterKey;
  readonly spec: VirtualRouterSpec;
  readonly port: InterfacePort;
  readonly source: IpAddress;
}

/** The messages of one router, with what they were made from. */
interface Made {
  readonly priority: number;
  readonly source: IpAddress;
  readonly messages: readonly OutgoingAdvertisement[];
}

/** The sending half of the loop. */
export class AdvertisementSender {
  readonly #ports: InterfacePorts;
  readonly #reporter: Reporter;
  /** Unsigned messages that were made last; they are the same until something changes. */
  readonly #made = new WeakMap<VirtualRouterSpec, Made>();
  #authenticators: Authenticators = new Map();

  constructor(ports: InterfacePorts, reporter: Reporter) {
    this.#ports = ports;
    this.#reporter = reporter;
  }

  /** A new configuration begins. */
  configure(authenticators: Authenticators): void {
    this.#authenticators = authenticators;
  }

  /** Sends one advertisement: to the group, or to each peer. Failures are counted and remarked. */
  send({ router, spec, priority, dueUs }: RouterEffect<'send-advertisement'>): void {
    const statistics = this.#reporter.statistics(router);
    const port = this.#ports.get(spec.interface);
    const source = port === undefined ? undefined : senderAddress(port.identity, spec);
    if (port === undefined || source === undefined) {
      statistics.failedToSend();
      return;
    }
    const authenticator = this.#authenticators.get(router);
    const messages =
      authenticator === undefined
        ? this.#unsigned(spec, priority, source)
        : outgoingAdvertisements(spec, priority, source, (message, from) =>
            authenticator.sign(message, from, Date.now()),
          );
    const sent = messages.filter((each) => this.#sendOne({ router, spec, port, source }, each));
    if (sent.length > 0) {
      statistics.sentAdvertisement(dueUs === undefined ? undefined : nowUs() - dueUs);
    }
  }

  /** Makes the message of an advertisement and sends nothing: see `takeoverWait.ts`. */
  rehearse({ spec, priority }: RouterEffect<'send-advertisement'>): void {
    const port = this.#ports.get(spec.interface);
    const source = port === undefined ? undefined : senderAddress(port.identity, spec);
    if (port === undefined || source === undefined) return;
    // Without its trailer: a signature takes a number of a sequence.
    for (const { message, destination } of this.#unsigned(spec, priority, source)) {
      port.rehearse(message, source, destination);
    }
  }

  #unsigned(
    spec: VirtualRouterSpec,
    priority: number,
    source: IpAddress,
  ): readonly OutgoingAdvertisement[] {
    const last = this.#made.get(spec);
    if (last?.priority === priority && last.source === source) return last.messages;
    const messages = outgoingAdvertisements(spec, priority, source);
    this.#made.set(spec, { priority, source, messages });
    return messages;
  }

  /** What one peer cannot be sent must not keep the others from hearing. */
  #sendOne(sender: Sender, { message, destination }: OutgoingAdvertisement): boolean {
    const { router, spec, port, source } = sender;
    try {
      if (goesFromVirtualMac(spec, message, destination)) {
        const macAddress = virtualRouterMacAddress(familyOf(source), spec.vrid);
        port.sendFrame(encodeAdvertisementFrame(message, source, macAddress));
        return true;
      }
      return port.sendAdvertisement(message, source, destination);
    } catch (error) {
      this.#reporter.statistics(router).failedToSend();
      const cause = error instanceof Error ? error.message : String(error);
      this.#reporter.remark(
        `advertise ${router} ${destination}`,
        'error',
        `an advertisement could not be sent: ${cause}`,
        {},
      );
      return false;
    }
  }
}

/**
 * Whether an advertisement leaves by the base interface with the virtual MAC address as its sender,
 * so that the switches of the link keep knowing where that address is.
 */
function goesFromVirtualMac(
  { virtualMac }: VirtualRouterSpec,
  message: Uint8Array,
  destination: IpAddress,
): boolean {
  return (
    virtualMac?.transmitFrom === 'virtual' &&
    destination === vrrpGroup(familyOf(destination)) &&
    message.length <= frameMessageBytesMax
  );
}
