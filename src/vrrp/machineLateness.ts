/**
 * What a router does when it finds that it was stalled: frozen, paused with its machine, or starved
 * of the processor.
 *
 * The measure is our own silence, the time since the last advertisement that we sent. Up to three
 * intervals of it nobody can have taken over; after four of them everybody who lives has.
 */
import { ownerPriority } from '../wire/vrrp.js';
import type { MachineDraft } from './machineDraft.js';
import { isHeld } from './machineHolds.js';

/**
 * The bound in intervals: no Active_Down_Interval is shorter, because the skew that comes on top
 * can be as small as 1/256 of an interval, and the priority of a rival is not known.
 */
export const deposableIntervals = 3;

/** In intervals: no Active_Down_Interval is longer, because the skew is less than an interval. */
export const surelyDeposedIntervals = 4;

/** A router whose loop was late twice within this time is demoted, and for this time. */
export const latenessMemoryUs = 60_000_000;

/** Whether an Active was silent for so long that a rival may have taken over; it is noted. */
export function mayBeDeposed(draft: MachineDraft): boolean {
  if (silenceUs(draft) <= deposableIntervals * draft.ownIntervalUs) return false;
  if (draft.state.lateness.listeningUntilUs === undefined) noteLateness(draft);
  return true;
}

/**
 * Whether a router with more right to be the Active would take over from one with less at once. If
 * not, an Active that was deposed while it was stalled must not do so either.
 */
export function takesOverAtOnce(draft: MachineDraft): boolean {
  if (draft.priority === ownerPriority) return true;
  const { enabled, delayMs } = draft.state.spec.preempt;
  return enabled && delayMs === 0 && !isHeld(draft.state, draft.nowUs);
}

/**
 * Makes an Active listen for one interval before it asserts itself, when it was silent for so long
 * that every rival that lives must have taken over, and still none of them was heard: their
 * advertisements may have been lost while the machine was paused. The addresses stay meanwhile.
 */
export function listensFirst(draft: MachineDraft, dueUs: number): boolean {
  if (!mayBeDeposed(draft)) return false;
  const { listeningUntilUs } = draft.state.lateness;
  const hasListened = listeningUntilUs !== undefined && draft.nowUs - dueUs <= draft.ownIntervalUs;
  if (hasListened || silenceUs(draft) <= surelyDeposedIntervals * draft.ownIntervalUs) return false;
  listen(draft);
  return true;
}

/**
 * Makes a Backup listen for one interval more, when its Active_Down_Timer ran so late that an
 * Active that lives must have been heard since, and may have been lost with the machine's pause.
 */
export function waitsOnceMore(draft: MachineDraft, dueUs: number): boolean {
  const { activeAdvertIntervalUs } = draft.state;
  if (draft.nowUs - dueUs <= activeAdvertIntervalUs) return false;
  noteLateness(draft);
  draft.arm('active-down', draft.nowUs + activeAdvertIntervalUs);
  return true;
}

/** Announcements of an Active that may have been deposed would steal the addresses back. */
export function mayAnnounce(draft: MachineDraft): boolean {
  return silenceUs(draft) <= deposableIntervals * draft.ownIntervalUs;
}

function listen(draft: MachineDraft): void {
  const untilUs = draft.nowUs + draft.ownIntervalUs;
  draft.update({ lateness: { ...draft.state.lateness, listeningUntilUs: untilUs } });
  draft.arm('advertisement', untilUs);
}

function silenceUs({ state, nowUs }: MachineDraft): number {
  return nowUs - (state.lastSentUs ?? nowUs);
}

function noteLateness(draft: MachineDraft): void {
  const { nowUs } = draft;
  const { count, lastUs, demotedUntilUs } = draft.state.lateness;
  const again = lastUs !== undefined && nowUs - lastUs <= latenessMemoryUs;
  draft.update({
    lateness: {
      ...draft.state.lateness,
      count: count + 1,
      lastUs: nowUs,
      demotedUntilUs: again ? nowUs + latenessMemoryUs : demotedUntilUs,
    },
  });
}
