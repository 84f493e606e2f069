/**
 * Carries out what the election decided, phase by phase: advertisements, then the addresses of
 * a few routers at a time and their first announcements, then word to main. Failures are counted,
 * told and tried again; they never end the loop.
 */
import { nowUs } from '../kernel/monotonicClock.js';
import type { RouteEvent } from '../kernel/routeNetlink.js';
import type { IpAddress } from '../wire/ipAddress.js';
import { addressBatches } from './addressBatches.js';
import type { AddressKeeper } from './addressKeeper.js';
import { AdvertisementSender } from './advertisementSender.js';
import {
  type Announcement,
  AnnouncementQueue,
  announcementPaceUs,
  firstAnnouncementsMaxUs,
} from './announcementQueue.js';
import type { Authenticators } from './authenticators.js';
import {
  type ElectionState,
  nextDeadlineUs,
  type RouterEffect,
  type TurnEffects,
} from './election.js';
import { formatChange } from './holdings.js';
import type { InterfacePorts } from './interfacePorts.js';
import type { ChangeFailure } from './networkChanges.js';
import type { VirtualAddress } from './protocol.js';
import type { Reporter } from './reporter.js';

/** Two audits are at least this far apart, so that no other program can draw us into a fight. */
const auditGapUs = 100_000;

/** Address changes that failed are tried again after this. */
const retryUs = 1_000_000;

/** Routers that a rehearsal goes through. */
const rehearsedMax = 4;

/** Addresses of all of them that it goes through: they must be done before the takeover is due. */
const rehearsedAddressesMax = 256;

function addressOf({ prefix }: VirtualAddress): IpAddress {
  return prefix.address;
}

/** Address changes of one call of the kernel, and what is announced after them. */
interface Move {
  readonly batch: TurnEffects['addressChanges'];
  readonly announcements: TurnEffects['announcements'];
}

/** The doing half of the loop. */
export class EffectRunner {
  readonly #ports: InterfacePorts;
  readonly #keeper: AddressKeeper;
  readonly #reporter: Reporter;
  readonly #sender: AdvertisementSender;
  readonly #announcements = new AnnouncementQueue();
  /** Additions of routers that became Active, for which the time has not been yet. */
  #waiting: Move[] = [];
  #announceDueUs = 0;
  #auditDueUs = Number.POSITIVE_INFINITY;
  #lastAuditUs = 0;

  constructor(ports: InterfacePorts, keeper: AddressKeeper, reporter: Reporter) {
    this.#ports = ports;
    this.#keeper = keeper;
    this.#reporter = reporter;
    this.#sender = new AdvertisementSender(ports, reporter);
  }

  /** A new configuration begins, with its keys. */
  configure(authenticators: Authenticators): void {
    this.#sender.configure(authenticators);
  }

  /** Routers have other addresses than before. */
  prepare(election: ElectionState): void {
    this.#keeper.prepare(election.routers);
    const addresses = [...election.routers.values()].flatMap(({ spec }) => spec.addresses);
    for (const port of this.#ports.all()) {
      const here = addresses.filter((address) => address.interface === port.identity.name);
      port.prepareAnnouncements(here.map(addressOf));
    }
  }

  /** When there is something to do again; infinite when there is not. */
  get nextDeadlineUs(): number {
    return Math.min(this.#announceAtUs, this.#auditDueUs);
  }

  /** Whether a takeover is not over: addresses are not here yet, or the link has not been told. */
  get isTakingOver(): boolean {
    return this.#waiting.length > 0 || this.#announcements.hasFirst;
  }

  get #announceAtUs(): number {
    if (this.isTakingOver) return 0;
    return this.#announcements.length > 0 ? this.#announceDueUs : Number.POSITIVE_INFINITY;
  }

  /** Asks for a comparison of the kernel's addresses with the states of the routers. */
  requestAudit(atUs: number): void {
    const earliestUs = Math.max(atUs, this.#lastAuditUs + auditGapUs);
    this.#auditDueUs = Math.min(this.#auditDueUs, earliestUs);
  }

  /** Asks for an audit when somebody else moved one of our addresses. */
  takeRouteEvents(events: readonly RouteEvent[], election: ElectionState, turnUs: number): void {
    if (this.#keeper.hasContradiction(events, election.routers)) this.requestAudit(turnUs);
  }

  /** Sends the advertisements of one turn, before anything else of it is done. */
  advertise(effects: TurnEffects): void {
    for (const effect of effects.advertisements) this.#sender.send(effect);
  }

  /** Does as if for the first routers of a turn, so that the turn itself finds all at hand. */
  rehearse(effects: TurnEffects, election: ElectionState): void {
    for (const effect of effects.advertisements.slice(0, rehearsedMax)) {
      this.#sender.rehearse(effect);
    }
    const changes = effects.addressChanges.slice(0, rehearsedMax);
    const share = Math.ceil(rehearsedAddressesMax / Math.max(1, changes.length));
    this.#keeper.rehearse(changes, election.routers, share);
    for (const { addresses } of effects.announcements.slice(0, rehearsedMax)) {
      const [first] = addresses;
      if (first === undefined) continue;
      const port = this.#ports.get(first.interface);
      port?.rehearseAnnouncements(addresses.slice(0, share).map(addressOf));
    }
  }

  /** Carries out the rest of one turn, then whatever audit and announcements are due. */
  carryOut(effects: TurnEffects, election: ElectionState, turnUs: number): void {
    // The clients of one router must not wait until the addresses of the next are moved.
    if (this.#announcements.hasFirst) this.#sendAnnouncements(election);
    this.#moveAddresses(effects, election, turnUs);
    if (turnUs >= this.#auditDueUs && this.#waiting.length === 0) this.#audit(election, turnUs);
    this.#sendAnnouncements(election);
    for (const effect of effects.transitions) this.#reporter.transition(effect);
  }

  /**
   * Addresses of a few routers at a time, each few announced before the next are moved. When
   * something of the election is due the others wait for the next turn, unless addresses are to be
   * removed: those must be off when the turn is over.
   */
  #moveAddresses(effects: TurnEffects, election: ElectionState, turnUs: number): void {
    const removes = effects.addressChanges.some(({ type }) => type === 'remove-addresses');
    let { announcements } = effects;
    for (const batch of addressBatches(effects.addressChanges)) {
      const moved = new Set(batch.map(({ router }) => router));
      const own = announcements.filter(({ router }) => moved.has(router));
      announcements = announcements.filter(({ router }) => !moved.has(router));
      this.#waiting.push({ batch, announcements: own });
    }
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#announceWhileNothingIsDue(election);
      this.#changeAddresses(next.batch, election, turnUs);
      for (const each of next.announcements) this.#announce(each);
      if (!removes && nowUs() >= (nextDeadlineUs(election) ?? Number.POSITIVE_INFINITY)) break;
    }
    for (const each of announcements) this.#announce(each);
  }

  #changeAddresses(
    changes: TurnEffects['addressChanges'],
    election: ElectionState,
    turnUs: number,
  ): void {
    if (changes.length === 0) return;
    try {
      this.#reportFailures(this.#keeper.apply(changes, election.routers), turnUs);
    } catch (error) {
      this.#remarkFailure('addresses', 'the virtual addresses could not be changed', error);
      this.#auditDueUs = Math.min(this.#auditDueUs, turnUs + retryUs);
    }
  }

  #audit(election: ElectionState, turnUs: number): void {
    this.#lastAuditUs = turnUs;
    this.#auditDueUs = Number.POSITIVE_INFINITY;
    try {
      const result = this.#keeper.audit(election.routers);
      for (const [router, addresses] of result.restored) {
        const repeat = election.routers.get(router)?.spec.announcements.repeat ?? 0;
        this.#announce({ router, addresses, repeat });
      }
      this.#logRepair('put back', result.restoredTexts);
      this.#logRepair('taken off, because this router is not Active', result.removedTexts);
      this.#reportFailures(result.failures, turnUs);
    } catch (error) {
      this.#remarkFailure('audit', 'the virtual addresses could not be checked', error);
      this.#auditDueUs = turnUs + retryUs;
    }
  }

  #logRepair(what: string, texts: readonly string[]): void {
    if (texts.length === 0) return;
    this.#reporter.log('warn', `virtual addresses were changed by somebody else; ${what}`, {
      addresses: texts.join(', '),
    });
  }

  #reportFailures(failures: readonly ChangeFailure[], turnUs: number): void {
    for (const { change, error } of failures) {
      const what = formatChange(change);
      const task = change.action === 'up' || change.action === 'down' ? 'set' : change.action;
      const end = task === 'set' ? ` ${change.action}` : '';
      this.#remarkFailure(`${change.action} ${what}`, `cannot ${task} ${what}${end}`, error);
    }
    if (failures.length > 0) this.#auditDueUs = Math.min(this.#auditDueUs, turnUs + retryUs);
  }

  #announce({ router, addresses, repeat }: Omit<RouterEffect<'announce'>, 'type' | 'spec'>): void {
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
    if (this.#announcements.length === 0) return;
    // The pace is for repetitions: whoever waits for a first one is cut off.
    if (now < this.#announceDueUs && !this.#announcements.hasFirst) return;
    this.#sendPortion(this.#takeAnnouncements(election));
    this.#announceWhileNothingIsDue(election);
    this.#announceDueUs = nowUs() + announcementPaceUs;
  }

  /** Goes on with first announcements for as long as the election has nothing else to do. */
  #announceWhileNothingIsDue(election: ElectionState): void {
    const untilUs = Math.min(
      nowUs() + firstAnnouncementsMaxUs,
      nextDeadlineUs(election) ?? Number.POSITIVE_INFINITY,
    );
    while (this.#announcements.hasFirst && nowUs() < untilUs) {
      this.#sendPortion(this.#takeAnnouncements(election));
    }
  }

  #takeAnnouncements(election: ElectionState): readonly Announcement[] {
    // An Active that listens after a stall may have been deposed, and announces anew if it was not.
    return this.#announcements.take((router) => {
      const machine = election.routers.get(router);
      return machine?.current === 'active' && machine.lateness.listeningUntilUs === undefined;
    });
  }

  /** All of one interface in one call. */
  #sendPortion(portion: readonly Announcement[]): void {
    for (const name of new Set(portion.map(({ address }) => address.interface))) {
      const here = portion.filter(({ address }) => address.interface === name);
      const results = this.#ports
        .get(name)
        ?.announceAll(here.map(({ address }) => addressOf(address)));
      for (const [index, { router }] of here.entries()) {
        const error = results?.[index];
        const statistics = this.#reporter.statistics(router);
        if (error === undefined) {
          statistics.sentAnnouncement();
        } else {
          statistics.failedToSend();
          this.#remarkFailure(`announce ${name}`, 'an announcement could not be sent', error);
        }
      }
    }
  }

  #remarkFailure(subject: string, text: string, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    this.#reporter.remark(subject, 'error', `${text}: ${cause}`, {});
  }
}
