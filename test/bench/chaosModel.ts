/** What `npm run bench -- chaos` does to servers, and how it judges weights. Pure. */

/** What a dead server does. */
export type DeathKind = 'refuse' | 'hang' | 'error';

/** The ways to die. */
export const deathKinds: readonly DeathKind[] = ['refuse', 'hang', 'error'];

/** What is done. */
export interface ChaosSetting {
  readonly servers: number;
  readonly seconds: number;
  readonly seed: number;
  /** Who checks; all at the same time, each with a service of its own. */
  readonly programs: readonly ('tandem' | 'keepalived')[];
}

/** What came of it for one program. Times are milliseconds. */
export interface ChaosResult {
  readonly program: 'tandem' | 'keepalived';
  /** Deaths and returns that the weights followed. */
  readonly followed: number;
  /** Deaths and returns whose weight was wrong when the bound had passed. */
  readonly violations: readonly string[];
  readonly deathMs: readonly number[];
  readonly returnMs: readonly number[];
  readonly seed: number;
}

/** How all check. */
export const chaosRules = { intervalMs: 1_000, timeoutMs: 500, rise: 2, fall: 2 } as const;

/** Within this a death or a return must show, as the scheduler of checks promises. */
export const chaosBoundMs =
  chaosRules.intervalMs * Math.max(chaosRules.rise, chaosRules.fall) + chaosRules.timeoutMs;

/** What the rest of the chain has: probe to main, main to kernel, kernel to the one who looks. */
export const chaosAllowanceMs = 500;

/** A change of a server that the weight has to follow. */
interface Pending {
  readonly alive: boolean;
  readonly sinceMs: number;
  told: boolean;
}

/** Judges the weights that one program sets. */
export class ChaosJudge {
  readonly #pending = new Map<string, Pending>();
  readonly deathMs: number[] = [];
  readonly returnMs: number[] = [];
  readonly violations: string[] = [];
  /** Time in which nobody could look, which is held against nobody. */
  #stalledMs = 0;
  readonly #stalledBefore = new Map<string, number>();

  /** A server has died or come back. One that does so before it was noticed starts anew. */
  changed(server: string, alive: boolean, nowMs: number): void {
    this.#pending.set(server, { alive, sinceMs: nowMs, told: false });
    this.#stalledBefore.set(server, this.#stalledMs);
  }

  /** The machine did not run for so long. */
  stalled(durationMs: number): void {
    this.#stalledMs += durationMs;
  }

  /**
   * What the kernel has for a server. `alive` is what it is now; `evidence` tells what may explain
   * a weight that is wrong.
   */
  look(
    server: string,
    alive: boolean,
    weight: number,
    nowMs: number,
    evidence: (server: string) => string = () => '',
  ): void {
    const pending = this.#pending.get(server);
    const isRight = weight > 0 === alive;
    if (pending === undefined) {
      // Nothing has changed for long: the weight must be right all the time.
      if (!isRight) this.#tell(server, alive, weight, Number.POSITIVE_INFINITY, evidence);
      return;
    }
    const elapsedMs = nowMs - pending.sinceMs;
    if (isRight) {
      (alive ? this.returnMs : this.deathMs).push(elapsedMs);
      this.#pending.delete(server);
      return;
    }
    const stalledMs = this.#stalledMs - (this.#stalledBefore.get(server) ?? 0);
    if (pending.told || elapsedMs - stalledMs <= chaosBoundMs + chaosAllowanceMs) return;
    pending.told = true;
    this.#tell(server, alive, weight, elapsedMs, evidence);
  }

  #tell(
    server: string,
    alive: boolean,
    weight: number,
    afterMs: number,
    evidence: (server: string) => string,
  ): void {
    const what = alive ? 'alive' : 'dead';
    const after = Number.isFinite(afterMs) ? `${Math.round(afterMs)} ms after it changed` : 'later';
    const text = `${server} is ${what} and has weight ${weight} ${after}`;
    this.violations.push(`${text}${evidence(server)}`);
  }
}
