/**
 * Whether the main thread is awake, as the vrrp thread sees it. Main says so every second; what
 * counts is how many of our own seconds have passed without a word. So a stall of the whole process
 * is not taken for one of main: it passes as one of ours at most. Pure.
 */
import type { Demotion } from './protocol.js';

/** How often main says that it is awake, in milliseconds. */
export const mainHeartbeatMs = 1_000;

/** Beats of ours without a word of main after which it is held to be stalled. */
const silentBeatsMax = 5;

/** Enough to lose to a sound peer; the elections and the checks themselves still work here. */
const mainLateWeight = 50;

/** Counts the silence of main. */
export class MainWatch {
  #silentBeats = 0;

  /** Main has said something. True when the demotions are others now. */
  heard(): boolean {
    const wasLate = this.#isLate;
    this.#silentBeats = 0;
    return wasLate;
  }

  /** About a second of ours has passed. True when the demotions are others now. */
  beat(): boolean {
    this.#silentBeats += 1;
    return this.#silentBeats === silentBeatsMax;
  }

  /** What main's silence takes off the priority of every router. */
  get demotions(): readonly Demotion[] {
    return this.#isLate ? [{ reason: 'main-thread-late', weight: mainLateWeight }] : [];
  }

  get #isLate(): boolean {
    return this.#silentBeats >= silentBeatsMax;
  }
}
