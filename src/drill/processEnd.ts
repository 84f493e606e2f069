/**
 * Cleaning up however the process ends: return, exception, exit, SIGINT, SIGTERM, SIGHUP.
 *
 * A lab leaves namespaces, processes and folders on the machine, so each of them is registered here
 * at the moment it comes to exist. Cleanups are synchronous, because nothing asynchronous runs
 * once a process is exiting, and they run in the reverse order of their registration.
 */

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type EndingSignal = (typeof endingSignals)[number];

const cleanups: (() => void)[] = [];
let listening = false;

/**
 * Registers a synchronous cleanup for the end of the process. The result takes it out again and
 * says whether it was still registered, so that an orderly teardown runs it exactly once.
 */
export function onProcessEnd(cleanup: () => void): () => boolean {
  cleanups.push(cleanup);
  listen();
  return () => {
    const index = cleanups.lastIndexOf(cleanup);
    if (index >= 0) cleanups.splice(index, 1);
    if (cleanups.length === 0) stopListening();
    return index >= 0;
  };
}

function runCleanups(): void {
  while (cleanups.length > 0) {
    try {
      cleanups.pop()?.();
    } catch {
      // One failed cleanup must not keep the others from running; `tandem lab down` finds the rest.
    }
  }
}

function endBySignal(signal: EndingSignal): void {
  runCleanups();
  stopListening();
  // Dying by the signal itself tells the parent (a shell, a test runner) what really happened.
  process.kill(process.pid, signal);
}

function listen(): void {
  if (listening) return;
  listening = true;
  process.on('exit', runCleanups);
  for (const signal of endingSignals) process.on(signal, endBySignal);
}

function stopListening(): void {
  if (!listening) return;
  listening = false;
  process.off('exit', runCleanups);
  for (const signal of endingSignals) process.off(signal, endBySignal);
}
