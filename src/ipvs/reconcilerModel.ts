/** What the reconciler needs from around it, and what it tells. */
import type { TandemError } from '../errors.js';
import type { IpvsTable } from '../kernel/ipvsTable.js';
import type { IpvsOperation } from '../wire/ipvsModel.js';

/** What the reconciler needs of the kernel's table. */
export type ReconcilerTable = Pick<IpvsTable, 'services' | 'servers' | 'apply'>;

/** Time, as the reconciler needs it. */
export interface ReconcilerClock {
  nowUnixMs(): number;
  /** Calls back once after a delay; the result cancels it. */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** The clock of the machine. Its timers do not keep a process alive. */
export const machineClock: ReconcilerClock = {
  nowUnixMs: () => Date.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Why a comparison was made. */
export type ReconcileTrigger = 'start' | 'change' | 'audit' | 'withdraw';

/** What one comparison found and did. */
export interface ReconcileRun {
  readonly trigger: ReconcileTrigger;
  /** What was sent to the kernel, follow-ups included. */
  readonly operations: readonly IpvsOperation[];
  /** What went wrong; the next audit tries again. */
  readonly errors: readonly TandemError[];
  readonly durationMs: number;
}

/** What a reconciler is made from. */
export interface ReconcilerOptions {
  readonly table: ReconcilerTable;
  readonly clock: ReconcilerClock;
  readonly auditIntervalMs: number;
  /** Told of every comparison, for the log. */
  readonly onRun?: (run: ReconcileRun) => void;
}
