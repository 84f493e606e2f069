/**
 * Reads advertisements from the sockets, judges each, and counts and remarks what is wrong with
 * those that the election must not hear.
 */
import { nowUs } from '../kernel/monotonicClock.js';
import type { ReceivedPacket } from '../kernel/vrrpSocket.js';
import type { IpFamily } from '../wire/ipAddress.js';
import {
  type AcceptedAdvertisement,
  type RejectedPacket,
  type RouterExpectation,
  receiveAdvertisement,
} from '../wire/vrrpReceive.js';
import { advertisementWarnings, warningTexts } from './advertisementWarnings.js';
import type { Authenticators } from './authenticators.js';
import type { ElectionState, HeardAdvertisement } from './election.js';
import type { InterfacePort } from './interfacePort.js';
import type { InterfacePorts } from './interfacePorts.js';
import { PeerFaults } from './peerFaults.js';
import { isOnLink, senderAddress } from './portIdentity.js';
import type { AdvertisementWarning } from './reasons.js';
import { routerExpectation } from './receiveExpectation.js';
import { type RouterKey, wireKey } from './reconfiguration.js';
import { rejectionText } from './rejectionText.js';
import type { Reporter } from './reporter.js';
import { familyOfRouter } from './virtualRouter.js';

/** The receiving half of the loop. */
export class AdvertisementReceiver {
  readonly #ports: InterfacePorts;
  readonly #reporter: Reporter;
  readonly #faults = new PeerFaults();
  #authenticators: Authenticators = new Map();
  #lastReadUs = 0;

  constructor(ports: InterfacePorts, reporter: Reporter) {
    this.#ports = ports;
    this.#reporter = reporter;
  }

  /** A new configuration begins: other keys, and all that is wrong is news again. */
  configure(authenticators: Authenticators): void {
    this.#authenticators = authenticators;
    this.#faults.forget();
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
    const { name } = port.identity;
    let isUnusable = false;
    const routerOf = (family: IpFamily, vrid: number): RouterExpectation | undefined => {
      const key = wireKey(name, family, vrid);
      const spec = election.routers.get(key)?.spec;
      if (spec === undefined) return undefined;
      const ownAddress = senderAddress(port.identity, spec);
      const hmac = this.#authenticators.get(key)?.verifier;
      isUnusable = ownAddress === undefined;
      if (ownAddress === undefined) return undefined;
      return routerExpectation(spec, {
        ownAddress,
        isOnLink: (address) => isOnLink(port.identity, address),
        ...(hmac === undefined ? {} : { hmac }),
      });
    };
    // What had arrived before the last turn was read then. A stamp before that is the trace of a
    // wall clock that was set, and would make the Active look silent.
    const receivedUs = Math.max(packet.receivedAtUs, this.#lastReadUs);
    const clock = { unixMs: Date.now() - (nowUs() - receivedUs) / 1000, monotonicUs: receivedUs };
    const received = receiveAdvertisement(packet.bytes, { routerOf, clock });
    // A router that cannot send does not hear either: it is in Initialize.
    if (isUnusable) return undefined;
    if (!received.accepted) {
      this.#countRejection(election, name, received, packet.bytes);
      return undefined;
    }
    const router = wireKey(name, received.family, received.advertisement.vrid);
    this.#countAcceptance(election, router, received, receivedUs);
    const { source, advertisement } = received;
    return { router, source, advertisement, receivedUs };
  }

  #countAcceptance(
    election: ElectionState,
    router: RouterKey,
    received: AcceptedAdvertisement,
    receivedUs: number,
  ): void {
    const spec = election.routers.get(router)?.spec;
    if (spec === undefined) return;
    const { advertisement, checksum, source, verified } = received;
    const warnings = [...advertisementWarnings(spec, advertisement, checksum)];
    const authenticator = this.#authenticators.get(router);
    if (authenticator !== undefined && verified === undefined) warnings.push('hmac-absent');
    if (authenticator !== undefined && verified !== undefined) {
      authenticator.accept(source, verified, receivedUs);
      if (authenticator.isClockDoubtful(verified)) warnings.push('clock-skew');
    }
    this.#reporter.statistics(router).received(warnings);
    for (const warning of warnings) this.#warn(router, spec.name, source, warning);
    this.#faults.recovered(`${router} ${source}`);
  }

  #warn(router: RouterKey, name: string, peer: string, warning: AdvertisementWarning): void {
    this.#reporter.remark(`${warning} ${router} ${peer}`, 'warn', warningTexts[warning], {
      router: name,
      peer,
      warning,
    });
  }

  /** A packet that names none of our routers counts for all of its interface and family. */
  #countRejection(
    election: ElectionState,
    name: string,
    rejection: RejectedPacket,
    packet: Uint8Array,
  ): void {
    const { reason, source, family, vrid } = rejection;
    const named =
      vrid === undefined || family === undefined ? undefined : wireKey(name, family, vrid);
    const isOurs = named !== undefined && election.routers.has(named);
    for (const [key, { spec }] of election.routers) {
      const concerned = isOurs
        ? key === named
        : spec.interface === name && (family === undefined || familyOfRouter(spec) === family);
      if (!concerned) continue;
      const statistics = this.#reporter.statistics(key);
      statistics.rejected(reason);
      // The packets of other virtual routers of the link would hide what concerns this one.
      if (reason !== 'unknown-virtual-router') {
        statistics.keepRejected({ reason, source: source ?? null, packet, atUnixMs: Date.now() });
      }
      if (reason !== 'own-packet') continue;
      statistics.warned('duplicate-address');
      this.#warn(key, spec.name, source ?? 'unknown', 'duplicate-address');
    }
    const peer = source ?? 'unknown';
    if (!this.#faults.isNews(`${named ?? name} ${peer}`, reason, nowUs())) return;
    this.#reporter.log(
      reason === 'unknown-virtual-router' ? 'debug' : 'warn',
      rejectionText(reason),
      { interface: name, peer, reason, ...(vrid === undefined ? {} : { vrid }) },
    );
  }
}
