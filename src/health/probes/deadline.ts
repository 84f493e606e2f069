/** The deadline of a probe: an AbortSignal in little, since thousands are made each second. */

/** What a probe sees of its deadline. An AbortSignal is one too. */
export interface DeadlineSignal {
  /** It has passed. */
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options: { readonly once: true }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A deadline that passes when it is told to. */
export class Deadline implements DeadlineSignal {
  #listeners: readonly (() => void)[] = [];
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** The listener is called once, when the deadline passes; never if it has passed. */
  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = [...this.#listeners, listener];
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  /** It passes: the probe settles in this very call. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
