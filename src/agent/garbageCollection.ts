/** Where the garbage of the agent's threads is collected. */
import { setFlagsFromString } from 'node:v8';

/**
 * From here on every thread picks up its own young garbage, which is what the election makes. V8
 * shares that work with helper threads, and whoever collects waits for them: a real-time thread,
 * too, for helpers that are ordinary ones and do not get a processor on a machine that is busy.
 *
 * The marking of old objects stays shared: V8 aborts when that is changed in a process that runs.
 */
export function collectYoungGarbageInOwnThread(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
