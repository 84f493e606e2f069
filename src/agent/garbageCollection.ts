/** Where the garbage of the agent's threads is collected. */
import { setFlagsFromString } from 'node:v8';

/**
 * From here on every thread collects its own garbage. V8 shares that work with helper threads, and
 * whoever collects waits for them: a real-time thread, too, for helpers that are ordinary ones and
 * do not get a processor on a machine that is busy. To be called before other threads are started.
 */
export function collectGarbageInOwnThread(): void {
  setFlagsFromString('--single-threaded-gc');
}
