/**
 * Reads advertisements from the sockets, judges each, and counts and remarks what is wrong with
 * those that the election must not hear.
 */
import type { ReceivedPacket } from '../kernel/vrrpSocket.js';
import { type ReceivedAdvertisement, receiveAdvertisement } from '../wire/vrrpReceive.js';
import { advertisementWarnings } from './advertisementWarnings.js';
import type { ElectionState, HeardAdvertisement } from './election.js';
import type { InterfacePort } from './interfacePort.js';
import type { InterfacePorts } from './interfacePorts.js';
import type { AdvertisementWarning } from './reasons.js';
import { type RouterKey, routerKey } from './reconfiguration.js';
import type { Reporter } from './reporter.js';

type Rejection = Extract<ReceivedAdvertisement, { accepted: false }>;

const warningTexts: Readonly<Record<AdvertisementWarning, string>> = {
  'address-list-differs': 'the peer advertises other addresses than this router has',
  'interval-differs': 'the peer advertises at another interval than this router',
  'checksum-form-differs': 'the peer sends the other checksum form; both are accepted',
  'second-owner': 'the peer claims to be the address owner as well (priority 255)',
  'duplicate-address': 'an advertisement came from our own address: another station has it too',
};

/** The receiving half of the loop. */
export class AdvertisementReceiver {
  readonly #ports: InterfacePorts;
  readonly #reporter: Reporter;
  #lastReadUs = 0;

  constructor(ports: InterfacePorts, reporter: Reporter) {
    this.#ports = ports;
    this.#reporter = reporter;
  }

  /**
   * Reads every socket dry. `turnUs` is the time that was noted before; ports that cannot be read
   * are closed, and come back with the next look at the interfaces.
   */
  receiveAll(
    election: ElectionState,
    turnUs: number,
    onBroken: (name: string, error: unknown) => void,
  ): readonly HeardAdvertisement[] {
    const heard: HeardAdvertisement[] = [];
    for (const port of this.#ports.all()) {
      try {
        for (const packet of port.receiveAll()) {
          const advertisement = this.#judge(election, port, packet);
          if (advertisement !== undefined) heard.push(advertisement);
        }
      } catch (error) {
        onBroken(port.identity.name, error);
      }
    }
    this.#lastReadUs = turnUs;
    return heard;
  }

  #judge(
    election: ElectionState,
    port: InterfacePort,
    packet: ReceivedPacket,
  ): HeardAdvertisement | undefined {
    const { name, source } = port.identity;
    if (source === undefined) return undefined;
    const vrids = new Set<number>();
    for (const { spec } of election.routers.values()) {
      if (spec.interface === name) vrids.add(spec.vrid);
    }
    const received = receiveAdvertisement(packet.bytes, { vrids, ownAddress: source });
    if (!received.accepted) {
      this.#countRejection(election, name, received);
      return undefined;
    }
    const router = routerKey({ interface: name, vrid: received.advertisement.vrid });
    this.#countAcceptance(election, router, received);
    return {
      router,
      source: received.source,
      advertisement: received.advertisement,
      // What had arrived before the last turn was read then. A stamp before that is the trace of a
      // wall clock that was set, and would make the Active look silent.
      receivedUs: Math.max(packet.receivedAtUs, this.#lastReadUs),
    };
  }

  #countAcceptance(
    election: ElectionState,
    router: RouterKey,
    received: Extract<ReceivedAdvertisement, { accepted: true }>,
  ): void {
    const spec = election.routers.get(router)?.spec;
    if (spec === undefined) return;
    const { advertisement, checksum, source } = received;
    const warnings = advertisementWarnings(spec, advertisement, checksum);
    this.#reporter.statistics(router).received(warnings);
    for (const warning of warnings) this.#warn(router, spec.name, source, warning);
  }

  #warn(router: RouterKey, name: string, peer: string, warning: AdvertisementWarning): void {
    this.#reporter.remark(`${warning} ${router} ${peer}`, 'warn', warningTexts[warning], {
      router: name,
      peer,
      warning,
    });
  }

  /** A packet that names none of our routers counts for all of its interface. */
  #countRejection(election: ElectionState, name: string, rejection: Rejection): void {
    const { reason, source = 'unknown', vrid } = rejection;
    const named = vrid === undefined ? undefined : routerKey({ interface: name, vrid });
    for (const [key, { spec }] of election.routers) {
      const concerned =
        named !== undefined && election.routers.has(named)
          ? key === named
          : spec.interface === name;
      if (!concerned) continue;
      this.#reporter.statistics(key).rejected(reason);
      if (reason !== 'own-packet') continue;
      this.#reporter.statistics(key).warned('duplicate-address');
      this.#warn(key, spec.name, source, 'duplicate-address');
    }
    this.#reporter.remark(
      `${reason} ${name} ${source}`,
      reason === 'unknown-virtual-router' ? 'debug' : 'warn',
      `an advertisement was discarded: ${reason}`,
      { interface: name, peer: source, reason, ...(vrid === undefined ? {} : { vrid }) },
    );
  }
}
