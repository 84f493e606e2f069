/** Log messages to main, no more of them than a person or a disk can take. */
import type { LogLevel } from '../vrrp/protocol.js';
import type { FromHealth } from './protocol.js';

/** Messages that pass between two renewals; the others are counted and the count is logged. */
export const logMessagesMax = 20;

type LogFields = Extract<FromHealth, { readonly type: 'log' }>['fields'];

/** A fault that strikes a thousand checks at once must not write a thousand lines a second. */
export class LogBudget {
  readonly #post: (message: FromHealth) => void;
  #written = 0;
  #suppressed = 0;

  constructor(post: (message: FromHealth) => void) {
    this.#post = post;
  }

  write(level: LogLevel, message: string, fields: LogFields): void {
    if (this.#written >= logMessagesMax) {
      this.#suppressed += 1;
      return;
    }
    this.#written += 1;
    this.#post({ type: 'log', level, message, fields });
  }

  /** Grants the whole budget again, and says what was left out. */
  renew(): void {
    const suppressed = this.#suppressed;
    this.#written = 0;
    this.#suppressed = 0;
    if (suppressed > 0) this.write('warn', 'Log messages were left out', { suppressed });
  }
}
