/**
 * Timers in the order in which they are due: a pairing heap without mutation, so that a turn of the
 * election leaves the state that it was given as it was, and a thousand timers are not copied for
 * each packet. Adding costs O(1), taking the first out O(log n) amortised.
 *
 * A timer that was armed anew or cancelled stays in the queue until its old time comes; whoever
 * takes it out sees by its generation that it is stale. {@link keepTimers} throws such ones out.
 */
import type { TimerName } from './machineModel.js';
import type { RouterKey } from './reconfiguration.js';

/** A timer that waits. */
export interface PendingTimer {
  readonly router: RouterKey;
  readonly timer: TimerName;
  readonly generation: number;
  readonly atUs: number;
}

interface HeapNode {
  readonly timer: PendingTimer;
  /** The first of the nodes below this one; they are linked by `next`. */
  readonly below: HeapNode | undefined;
  readonly next: HeapNode | undefined;
}

/** The timers that wait. */
export interface TimerQueue {
  readonly size: number;
  readonly root: HeapNode | undefined;
}

/** A queue without timers. */
export const emptyTimerQueue: TimerQueue = { size: 0, root: undefined };

/** The timer that is due first. */
export function firstTimer({ root }: TimerQueue): PendingTimer | undefined {
  return root?.timer;
}

/** The queue with one timer more. */
export function addTimer({ size, root }: TimerQueue, timer: PendingTimer): TimerQueue {
  const added: HeapNode = { timer, below: undefined, next: undefined };
  return { size: size + 1, root: root === undefined ? added : merge(root, added) };
}

/** The queue without its first timer. */
export function dropFirstTimer({ size, root }: TimerQueue): TimerQueue {
  if (root === undefined) return emptyTimerQueue;
  return { size: size - 1, root: mergeAll(root.below) };
}

/** The queue with those timers only that are wanted; O(n log n). */
export function keepTimers(
  queue: TimerQueue,
  isWanted: (timer: PendingTimer) => boolean,
): TimerQueue {
  let kept = emptyTimerQueue;
  for (let rest = queue; rest.root !== undefined; rest = dropFirstTimer(rest)) {
    if (isWanted(rest.root.timer)) kept = addTimer(kept, rest.root.timer);
  }
  return kept;
}

/** The one that is due first stays above; of two at the same time it is the left one. */
function merge(left: HeapNode, right: HeapNode): HeapNode {
  const [above, other] = left.timer.atUs <= right.timer.atUs ? [left, right] : [right, left];
  return { ...above, below: { ...other, next: above.below }, next: undefined };
}

/** Merges neighbours pair by pair, then all pairs from the last to the first. */
function mergeAll(first: HeapNode | undefined): HeapNode | undefined {
  const pairs: HeapNode[] = [];
  for (let node = first; node !== undefined; ) {
    const partner = node.next;
    pairs.push(partner === undefined ? node : merge(node, partner));
    node = partner?.next;
  }
  const last = pairs.pop();
  const root = last && pairs.reduceRight((merged, pair) => merge(pair, merged), last);
  return root && { ...root, next: undefined };
}
