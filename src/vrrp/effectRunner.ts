/**
 * Carries out what the election decided, phase by phase: advertisements, then all address changes
 * in one batch, then announcements, then word to main. Failures are counted, told and tried again;
 * they never end the loop.
 */
import { nowUs } from '../kernel/monotonicClock.js';
import type { RouteEvent } from '../kernel/routeNetlink.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import { encodeAdvertisement, vrrpGroupIpv4 } from '../wire/vrrp.js';
import { type AddressFailure, type AddressKeeper, formatVirtualAddress } from './addressKeeper.js';
import { AnnouncementQueue, announcementPaceUs } from './announcementQueue.js';
import type { ElectionState, RouterEffect, TurnEffects } from './election.js';
import type { InterfacePorts } from './interfacePorts.js';
import type { VirtualAddress } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';
import type { Reporter } from './reporter.js';

/** Two audits are at least this far apart, so that no other program can draw us into a fight. */
const auditGapUs = 100_000;

/** Address changes that failed are tried again after this. */
const retryUs = 1_000_000;

/** The doing half of the loop. */
export class EffectRunner {
  readonly #ports: InterfacePorts;
  readonly #keeper: AddressKeeper;
  readonly #reporter: Reporter;
  readonly #announcements = new AnnouncementQueue();
  #announceDueUs = 0;
  #auditDueUs = Number.POSITIVE_INFINITY;
  #lastAuditUs = 0;

  constructor(ports: InterfacePorts, keeper: AddressKeeper, reporter: Reporter) {
    this.#ports = ports;
    this.#keeper = keeper;
    this.#reporter = reporter;
  }

  /** When there is something to do again; infinite when there is not. */
  get nextDeadlineUs(): number {
    const announceUs =
      this.#announcements.length > 0 ? this.#announceDueUs : Number.POSITIVE_INFINITY;
    return Math.min(announceUs, this.#auditDueUs);
  }

  /** Asks for a comparison of the kernel's addresses with the states of the routers. */
  requestAudit(atUs: number): void {
    const earliestUs = Math.max(atUs, this.#lastAuditUs + auditGapUs);
    this.#auditDueUs = Math.min(this.#auditDueUs, earliestUs);
  }

  /** Asks for an audit when somebody else moved one of our addresses. */
  takeRouteEvents(events: readonly RouteEvent[], election: ElectionState, turnUs: number): void {
    for (const event of events) {
      const suspicious =
        event.kind === 'overrun' ||
        (event.kind === 'address' && this.#keeper.isContradiction(event, election.routers));
      if (suspicious) this.requestAudit(turnUs);
    }
  }

  /** Carries out one turn, then whatever audit and announcements are due. */
  carryOut(effects: TurnEffects, election: ElectionState, turnUs: number): void {
    for (const effect of effects.advertisements) this.#sendAdvertisement(effect);
    this.#changeAddresses(effects.addressChanges, turnUs);
    for (const { router, addresses, repeat } of effects.announcements) {
      this.#announce(router, addresses, repeat);
    }
    if (turnUs >= this.#auditDueUs) this.#audit(election, turnUs);
    this.#sendAnnouncements(election);
    for (const effect of effects.transitions) this.#reporter.transition(effect);
  }

  #sendAdvertisement({ router, spec, priority }: RouterEffect<'send-advertisement'>): void {
    const statistics = this.#reporter.statistics(router);
    const port = this.#ports.get(spec.interface);
    const source = port?.identity.source;
    if (port === undefined || source === undefined) {
      statistics.failedToSend();
      return;
    }
    const { vrid, advertIntervalCs } = spec;
    const addresses = spec.addresses.map(({ prefix }) => prefix.address);
    try {
      const path = { source, destination: vrrpGroupIpv4 };
      const advertisement = { vrid, priority, advertIntervalCs, addresses };
      port.sendAdvertisement(encodeAdvertisement(advertisement, path, spec.checksum));
      statistics.sentAdvertisement();
    } catch (error) {
      statistics.failedToSend();
      this.#remarkFailure(`advertise ${router}`, 'an advertisement could not be sent', error);
    }
  }

  #changeAddresses(changes: TurnEffects['addressChanges'], turnUs: number): void {
    if (changes.length === 0) return;
    try {
      this.#reportFailures(this.#keeper.apply(changes), turnUs);
    } catch (error) {
      this.#remarkFailure('addresses', 'the virtual addresses could not be changed', error);
      this.#auditDueUs = Math.min(this.#auditDueUs, turnUs + retryUs);
    }
  }

  #audit(election: ElectionState, turnUs: number): void {
    this.#lastAuditUs = turnUs;
    this.#auditDueUs = Number.POSITIVE_INFINITY;
    try {
      const { restored, removed, failures } = this.#keeper.audit(election.routers);
      for (const [router, addresses] of restored) {
        const repeat = election.routers.get(router)?.spec.announcements.repeat ?? 0;
        this.#announce(router, addresses, repeat);
        this.#logRepair('put back', addresses);
      }
      this.#logRepair('taken off, because this router is not Active', removed);
      this.#reportFailures(failures, turnUs);
    } catch (error) {
      this.#remarkFailure('audit', 'the virtual addresses could not be checked', error);
      this.#auditDueUs = turnUs + retryUs;
    }
  }

  #logRepair(what: string, addresses: readonly VirtualAddress[]): void {
    if (addresses.length === 0) return;
    this.#reporter.log('warn', `virtual addresses were changed by somebody else; ${what}`, {
      addresses: addresses.map(formatVirtualAddress).join(', '),
    });
  }

  #reportFailures(failures: readonly AddressFailure[], turnUs: number): void {
    for (const { change, error } of failures) {
      const prefix = formatIpPrefix(change.prefix);
      this.#remarkFailure(
        `${change.action} ${prefix}`,
        `cannot ${change.action} the virtual address ${prefix}`,
        error,
      );
    }
    if (failures.length > 0) this.#auditDueUs = Math.min(this.#auditDueUs, turnUs + retryUs);
  }

  #announce(router: RouterKey, addresses: readonly VirtualAddress[], repeat: number): void {
    const droppedBefore = this.#announcements.dropped;
    this.#announcements.push(router, addresses, repeat);
    if (this.#announcements.dropped > droppedBefore) {
      this.#reporter.remark('announcements dropped', 'warn', 'too many announcements wait', {
        droppedTotal: this.#announcements.dropped,
      });
    }
  }

  #sendAnnouncements(election: ElectionState): void {
    const now = nowUs();
    if (this.#announcements.length === 0 || now < this.#announceDueUs) return;
    this.#announceDueUs = now + announcementPaceUs;
    const isActive = (router: RouterKey) => election.routers.get(router)?.current === 'active';
    for (const { router, address } of this.#announcements.take(isActive)) {
      try {
        this.#ports.get(address.interface)?.announce(address.prefix.address);
        this.#reporter.statistics(router).sentAnnouncement();
      } catch (error) {
        this.#reporter.statistics(router).failedToSend();
        this.#remarkFailure(
          `announce ${address.interface}`,
          'an announcement could not be sent',
          error,
        );
      }
    }
  }

  #remarkFailure(subject: string, text: string, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    this.#reporter.remark(subject, 'error', `${text}: ${cause}`, {});
  }
}
