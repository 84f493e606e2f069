/**
 * Announcements that wait to be sent. They go out in small portions, between which the loop looks
 * at its deadlines, so that a thousand addresses never delay an advertisement.
 */
import type { VirtualAddress } from './protocol.js';
import type { RouterKey } from './reconfiguration.js';

/** Most announcements that wait; what does not fit is dropped and counted. */
export const announcementQueueMax = 8192;

/** Most announcements that are sent between two looks at the time. */
export const announcementsPerTurnMax = 64;

/**
 * How long one turn of the loop may go on with portions of first announcements, in microseconds.
 * Until its address is announced a client sends to the old Active; repetitions can wait.
 */
export const firstAnnouncementsMaxUs = 20_000;

/** Pause between two portions, in microseconds. */
export const announcementPaceUs = 1000;

/** One announcement of one address. */
export interface Announcement {
  readonly router: RouterKey;
  readonly address: VirtualAddress;
}

/** First in, first out, bounded; the first announcement of an address before all repetitions. */
export class AnnouncementQueue {
  #first: Announcement[] = [];
  #repetitions: Announcement[] = [];
  /** Those that anything waits for, and maybe some for which nothing does any more. */
  readonly #routers = new Set<RouterKey>();
  #dropped = 0;

  /** Announcements that wait. */
  get length(): number {
    return this.#first.length + this.#repetitions.length;
  }

  /** Whether an address waits that has not been announced yet, so that its clients wait as well. */
  get hasFirst(): boolean {
    return this.#first.length > 0;
  }

  /** Announcements that did not fit since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds bursts round by round, so that every address is announced once before any twice. */
  push(router: RouterKey, addresses: readonly VirtualAddress[], repeat: number): void {
    const once = addresses.map((address) => ({ router, address }));
    this.#routers.add(router);
    for (let round = 0; round < repeat; round += 1) {
      const fitting = once.slice(0, Math.max(0, announcementQueueMax - this.length));
      (round === 0 ? this.#first : this.#repetitions).push(...fitting);
      this.#dropped += once.length - fitting.length;
    }
  }

  /** The next portion, without those of routers that may not announce any more. */
  take(mayAnnounce: (router: RouterKey) => boolean): readonly Announcement[] {
    const unwanted = [...this.#routers].filter((router) => !mayAnnounce(router));
    if (unwanted.length > 0) {
      const isWanted = ({ router }: Announcement): boolean => !unwanted.includes(router);
      this.#first = this.#first.filter(isWanted);
      this.#repetitions = this.#repetitions.filter(isWanted);
      for (const router of unwanted) this.#routers.delete(router);
    }
    const portion = this.#first.splice(0, announcementsPerTurnMax);
    const room = announcementsPerTurnMax - portion.length;
    const rest = room > 0 ? this.#repetitions.splice(0, room) : [];
    if (this.length === 0) this.#routers.clear();
    return [...portion, ...rest];
  }
}
