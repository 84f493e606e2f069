/** Runs reloads one after the other, and none before the start is over. */

/** A reload that has not begun. */
interface WaitingReload<Result> {
  force: boolean;
  readonly result: Promise<Result>;
}

/**
 * The reloads of an agent. Two at once would apply in an unknown order, so each waits for the one
 * before it. One that waits reads the file when its turn comes, so it stands for every request that
 * comes until then; one that has begun may have read the file already and stands for none.
 */
export class ReloadQueue<Result> {
  readonly #run: (force: boolean) => Promise<Result>;
  #started: Promise<unknown> = Promise.resolve();
  #last: Promise<unknown> = Promise.resolve();
  #waiting: WaitingReload<Result> | undefined;

  /** @param run one reload, from reading the file to applying the differences */
  constructor(run: (force: boolean) => Promise<Result>) {
    this.#run = run;
  }

  /** Lets reloads wait for the start. When it fails they fail with the same error. */
  follow<Started>(start: Promise<Started>): Promise<Started> {
    this.#started = start;
    return start;
  }

  /** Asks for a reload. What one of the requests that share a reload forces is forced for all. */
  request(force: boolean): Promise<Result> {
    if (this.#waiting !== undefined) {
      this.#waiting.force ||= force;
      return this.#waiting.result;
    }
    const last = this.#last;
    const result = this.#started.then(() => last).then(() => this.#begin());
    this.#waiting = { force, result };
    this.#last = result.catch(() => undefined);
    return result;
  }

  #begin(): Promise<Result> {
    const force = this.#waiting?.force ?? false;
    this.#waiting = undefined;
    return this.#run(force);
  }
}
