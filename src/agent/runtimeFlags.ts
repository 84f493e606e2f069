/** What the agent asks of V8 for the sake of the election. */
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

/**
 * From here on compiled code is kept. V8 forgets what has not run for a while, and a Backup may
 * wait for months to run a takeover, which it has rehearsed at its start (`vrrp/rehearsal.ts`).
 */
export function keepCompiledCode(): void {
  setFlagsFromString('--no-flush-bytecode');
}

/** How much a function runs before V8 optimises it: a measure of its own, and its own default. */
const usualBudget = 67_584;
const startBudget = 4_000_000;

/**
 * From here on only what runs for long is optimised. A start runs most of what it runs once; on one
 * processor it would wait for the compiler, and half a second longer with ten thousand servers.
 */
export function optimiseLate(): void {
  setFlagsFromString(`--interrupt-budget=${startBudget}`);
}

/** Ends {@link optimiseLate}, for what comes again and again. */
export function optimiseAsUsual(): void {
  setFlagsFromString(`--interrupt-budget=${usualBudget}`);
}
