/**
 * What the vrrp thread says to main, held back for a moment after a takeover: main would log, call
 * hooks and turn daemons round on a core that the first packets of the clients need.
 */
import type { FromVrrp } from './protocol.js';

/** How long word of a takeover is held back, in microseconds. */
export const takeoverQuietUs = 5_000;

/** Messages that are held back at most; more are sent at once, and all before them. */
export const heldMessagesMax = 1_024;

/** The messages that wait, in their order. */
export class Outbox {
  readonly #post: (message: FromVrrp) => void;
  #held: FromVrrp[] = [];
  #quietUntilUs: number | undefined;

  constructor(post: (message: FromVrrp) => void) {
    this.#post = post;
  }

  /** When what is held back is to be sent; infinite when nothing is. */
  get nextDeadlineUs(): number {
    return this.#quietUntilUs ?? Number.POSITIVE_INFINITY;
  }

  /** Sends a message, or keeps it while others are kept. */
  readonly post = (message: FromVrrp): void => {
    if (this.#quietUntilUs === undefined) {
      this.#post(message);
      return;
    }
    this.#held.push(message);
    if (this.#held.length >= heldMessagesMax) this.flush();
  };

  /** Keeps what comes from now on. A second takeover does not make the wait longer. */
  keepQuiet(nowUs: number): void {
    this.#quietUntilUs ??= nowUs + takeoverQuietUs;
  }

  /** Sends what is held back, when its time has come. */
  flushDue(nowUs: number): void {
    if (this.#quietUntilUs !== undefined && nowUs >= this.#quietUntilUs) this.flush();
  }

  /** Sends what is held back. */
  flush(): void {
    const held = this.#held;
    this.#held = [];
    this.#quietUntilUs = undefined;
    for (const message of held) this.#post(message);
  }
}
