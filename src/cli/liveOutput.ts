/** Lines that stay, and one that is replaced: what long work shows of itself. */

/** How often a progress line is written when the output is not a terminal, in milliseconds. */
const plainProgressIntervalMs = 5_000;

/** Longest progress line on a terminal; a line that wraps cannot be replaced. */
const progressWidthMax = 79;

const eraseLine = '\r\x1b[2K';

/** Writes to an output; on a terminal progress replaces itself, elsewhere it comes seldom. */
export class LiveOutput {
  readonly #write: (text: string) => void;
  readonly #isTerminal: boolean;
  readonly #startedMs: number;
  #progressShown = false;
  #lastPlainMs = Number.NEGATIVE_INFINITY;

  constructor(write: (text: string) => void, isTerminal: boolean) {
    this.#write = write;
    this.#isTerminal = isTerminal;
    this.#startedMs = performance.now();
  }

  /** A line that stays, with the time since the start before it. */
  step(text: string): void {
    this.print(`${this.#elapsed()}  ${text}\n`);
  }

  /** How things stand. */
  progress(text: string): void {
    const line = `${this.#elapsed()}  ${text}`;
    if (this.#isTerminal) {
      this.#write(`${eraseLine}${line.slice(0, progressWidthMax)}`);
      this.#progressShown = true;
      return;
    }
    const now = performance.now();
    if (now - this.#lastPlainMs < plainProgressIntervalMs) return;
    this.#lastPlainMs = now;
    this.#write(`${line}\n`);
  }

  /** Text as it stands; a progress line goes away before it. */
  print(text: string): void {
    this.#write(this.#progressShown ? eraseLine + text : text);
    this.#progressShown = false;
  }

  #elapsed(): string {
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    return `[${seconds.toFixed(1).padStart(5)} s]`;
  }
}
