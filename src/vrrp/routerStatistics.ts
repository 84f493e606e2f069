/**
 * What the vrrp thread counts and remembers of each virtual router beside its state, and the report
 * that is made of both.
 */
import type { IpAddress } from '../wire/ipAddress.js';
import { ownerPriority } from '../wire/vrrp.js';
import { LatenessHistogram } from './latenessHistogram.js';
import { demotionsOf } from './machineDemotions.js';
import type { MachineState } from './machineModel.js';
import type { VirtualRouterReport, VirtualRouterSpec } from './protocol.js';
import type {
  AdvertisementRejection,
  AdvertisementWarning,
  TransitionReason,
  VirtualRouterState,
} from './reasons.js';
import { centisecondUs, effectivePriority } from './timing.js';
import { familyOfRouter, versionOf } from './virtualRouter.js';

/** Most transitions that a report tells of; older ones are forgotten. */
export const transitionHistoryMax = 32;

/** Most bytes of a refused packet that are kept. */
export const rejectedBytesMax = 512;

type Transition = VirtualRouterReport['transitions'][number];

/** A packet that was refused, as it came. */
export interface RejectedRecord {
  readonly reason: AdvertisementRejection;
  readonly source: IpAddress | null;
  readonly packet: Uint8Array;
  readonly atUnixMs: number;
}

/** The counters of one virtual router. */
export class RouterStatistics {
  #sinceUnixMs: number;
  readonly #transitions: Transition[] = [];
  readonly #lateness = new LatenessHistogram();
  #advertisementsSent = 0;
  #advertisementsReceived = 0;
  #announcementsSent = 0;
  #sendErrors = 0;
  readonly #rejected: Partial<Record<AdvertisementRejection, number>> = {};
  readonly #warnings: Partial<Record<AdvertisementWarning, number>> = {};
  #lastRejected: RejectedRecord | undefined;

  constructor(startedUnixMs: number) {
    this.#sinceUnixMs = startedUnixMs;
  }

  /** One was sent; `latenessUs` if it was due at a time. */
  sentAdvertisement(latenessUs?: number): void {
    this.#advertisementsSent += 1;
    if (latenessUs !== undefined) this.#lateness.add(latenessUs);
  }

  sentAnnouncement(): void {
    this.#announcementsSent += 1;
  }

  failedToSend(): void {
    this.#sendErrors += 1;
  }

  received(warnings: readonly AdvertisementWarning[]): void {
    this.#advertisementsReceived += 1;
    for (const warning of warnings) this.warned(warning);
  }

  rejected(reason: AdvertisementRejection): void {
    this.#rejected[reason] = (this.#rejected[reason] ?? 0) + 1;
  }

  /** Keeps a refused packet in place of the one before, to be looked at. */
  keepRejected(record: RejectedRecord): void {
    this.#lastRejected = record;
  }

  warned(warning: AdvertisementWarning): void {
    this.#warnings[warning] = (this.#warnings[warning] ?? 0) + 1;
  }

  changed(
    from: VirtualRouterState,
    to: VirtualRouterState,
    reason: TransitionReason,
    atUnixMs: number,
  ): void {
    this.#sinceUnixMs = atUnixMs;
    this.#transitions.push({ from, to, reason, atUnixMs });
    if (this.#transitions.length > transitionHistoryMax) this.#transitions.shift();
  }

  /** The report of a router; `toUnixMs` turns monotonic microseconds into wall clock. */
  report(
    machine: MachineState,
    nowUs: number,
    toUnixMs: (us: number) => number,
  ): VirtualRouterReport {
    const { spec } = machine;
    const demotions = demotionsOf(machine, nowUs);
    const priority = {
      configured: spec.priority,
      effective: effectivePriority(spec.priority, demotions),
      demotions: spec.priority === ownerPriority ? [] : demotions,
    };
    return {
      name: spec.name,
      vrid: spec.vrid,
      interface: spec.interface,
      version: versionOf(spec),
      family: familyOfRouter(spec),
      ...(spec.unicast === undefined ? {} : { peers: spec.unicast.peers }),
      ...authenticationOf(spec),
      state: machine.current,
      sinceUnixMs: this.#sinceUnixMs,
      reason: machine.reason,
      priority,
      faults: machine.faults,
      active: activeOf(machine, priority.effective, toUnixMs),
      activeAdvertIntervalCs:
        machine.current === 'active'
          ? spec.advertIntervalCs
          : machine.activeAdvertIntervalUs / centisecondUs,
      addresses: spec.addresses,
      transitions: [...this.#transitions],
      counters: {
        advertisementsSent: this.#advertisementsSent,
        advertisementsReceived: this.#advertisementsReceived,
        announcementsSent: this.#announcementsSent,
        sendErrors: this.#sendErrors,
        rejected: { ...this.#rejected },
        warnings: { ...this.#warnings },
      },
      lastRejected: lastRejectedOf(this.#lastRejected),
      latenessMaxUs: machine.latenessMaxUs,
      ...waitingOf(machine, nowUs, toUnixMs),
      lateness: {
        ...this.#lateness.summary,
        pastBound: machine.lateness.count,
        listening: machine.lateness.listeningUntilUs !== undefined,
      },
    };
  }
}

/** What the router waits for, and until when. */
function waitingOf(
  { startupUntilUs, holds, stepDown, current, steppingDownUntilUs }: MachineState,
  nowUs: number,
  toUnixMs: (us: number) => number,
): Pick<VirtualRouterReport, 'startupUntilUnixMs' | 'holds' | 'stepDown'> {
  const isStarting = startupUntilUs !== undefined && nowUs < startupUntilUs;
  const isSteppedDown = stepDown !== undefined && nowUs < stepDown.untilUs;
  return {
    startupUntilUnixMs: isStarting ? toUnixMs(startupUntilUs) : null,
    holds: holds.map(({ reason, untilUs }) => ({
      reason,
      untilUnixMs: toUnixMs(untilUs),
      expired: nowUs >= untilUs,
    })),
    stepDown: isSteppedDown
      ? {
          untilUnixMs: toUnixMs(stepDown.untilUs),
          offering: current === 'active' && steppingDownUntilUs !== undefined,
          force: stepDown.force,
        }
      : null,
  };
}

function activeOf(
  machine: MachineState,
  effective: number,
  toUnixMs: (us: number) => number,
): VirtualRouterReport['active'] {
  if (machine.current === 'active' && machine.ownAddress !== undefined) {
    return { address: machine.ownAddress, priority: effective, self: true, lastHeardUnixMs: null };
  }
  if (machine.rival === undefined) return null;
  const { address, priority, lastHeardUs } = machine.rival;
  return { address, priority, self: false, lastHeardUnixMs: toUnixMs(lastHeardUs) };
}

function authenticationOf(
  spec: VirtualRouterSpec,
): Pick<VirtualRouterReport, 'authentication'> | Record<never, never> {
  if (spec.hmac !== undefined) return { authentication: `hmac-${spec.hmac.mode}` };
  return spec.password === undefined ? {} : { authentication: 'simple' };
}

function lastRejectedOf(record: RejectedRecord | undefined): VirtualRouterReport['lastRejected'] {
  if (record === undefined) return null;
  const { reason, source, packet, atUnixMs } = record;
  const hex = Buffer.from(packet.subarray(0, rejectedBytesMax)).toString('hex');
  return { reason, source, atUnixMs, bytes: packet.length, hex };
}
