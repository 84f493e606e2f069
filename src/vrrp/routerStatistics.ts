/**
 * What the vrrp thread counts and remembers of each virtual router beside its state, and the report
 * that is made of both.
 */
import { ownerPriority } from '../wire/vrrp.js';
import type { MachineState } from './machineModel.js';
import type { VirtualRouterReport } from './protocol.js';
import type {
  AdvertisementRejection,
  AdvertisementWarning,
  TransitionReason,
  VirtualRouterState,
} from './reasons.js';
import { centisecondUs, effectivePriority } from './timing.js';

/** Most transitions that a report tells of; older ones are forgotten. */
export const transitionHistoryMax = 32;

type Transition = VirtualRouterReport['transitions'][number];

/** The counters of one virtual router. */
export class RouterStatistics {
  #sinceUnixMs: number;
  readonly #transitions: Transition[] = [];
  #advertisementsSent = 0;
  #advertisementsReceived = 0;
  #announcementsSent = 0;
  #sendErrors = 0;
  readonly #rejected: Partial<Record<AdvertisementRejection, number>> = {};
  readonly #warnings: Partial<Record<AdvertisementWarning, number>> = {};

  constructor(startedUnixMs: number) {
    this.#sinceUnixMs = startedUnixMs;
  }

  sentAdvertisement(): void {
    this.#advertisementsSent += 1;
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
  report(machine: MachineState, toUnixMs: (us: number) => number): VirtualRouterReport {
    const { spec, demotions } = machine;
    const priority = {
      configured: spec.priority,
      effective: effectivePriority(spec.priority, demotions),
      demotions: spec.priority === ownerPriority ? [] : demotions,
    };
    return {
      name: spec.name,
      vrid: spec.vrid,
      interface: spec.interface,
      state: machine.current,
      sinceUnixMs: this.#sinceUnixMs,
      reason: machine.reason,
      priority,
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
      latenessMaxUs: machine.latenessMaxUs,
    };
  }
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
