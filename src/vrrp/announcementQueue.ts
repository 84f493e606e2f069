/**
 * Announcements that wait to be sent. They go out in small portions, between which the loop looks
 * at its deadlines, so that a thousand addresses never delay an advertisement.
 */
import type { VirtualAddress } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';

/** Most announcements that wait; what does not fit is dropped and counted. */
export const announcementQueueMax = 8192;

/** Most announcements that one turn of the loop sends. */
export const announcementsPerTurnMax = 64;

/** Pause between two portions, in microseconds. */
export const announcementPaceUs = 1000;

/** One announcement of one address. */
export interface Announcement {
  readonly router: RouterKey;
  readonly address: VirtualAddress;
}

/** First in, first out, bounded. */
export class AnnouncementQueue {
  #waiting: Announcement[] = [];
  #dropped = 0;

  /** Announcements that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Announcements that did not fit since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds bursts round by round, so that every address is announced once before any twice. */
  push(router: RouterKey, addresses: readonly VirtualAddress[], repeat: number): void {
    for (let round = 0; round < repeat; round += 1) {
      for (const address of addresses) {
        if (this.#waiting.length < announcementQueueMax) this.#waiting.push({ router, address });
        else this.#dropped += 1;
      }
    }
  }

  /** The next portion, without those of routers that may not announce any more. */
  take(mayAnnounce: (router: RouterKey) => boolean): readonly Announcement[] {
    this.#waiting = this.#waiting.filter(({ router }) => mayAnnounce(router));
    return this.#waiting.splice(0, announcementsPerTurnMax);
  }
}
