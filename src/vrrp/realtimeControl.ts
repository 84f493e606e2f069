/**
 * Applies the real-time settings to the thread that it is called from. What the machine refuses is
 * told and shown, and ends nothing: an election that may be late is better than none.
 */
import {
  allowCpus,
  allowedCpus,
  lockMemory,
  scheduleOrdinarily,
  scheduleRoundRobin,
  unlockMemory,
} from '../kernel/realtime.js';
import type { RealtimeReport, RealtimeSettings } from './protocol.js';
import { isSameValue } from './reconfiguration.js';
import type { Reporter } from './reporter.js';

/** Settings of a thread that nothing was asked for. */
const ordinary: RealtimeSettings = {
  scheduler: 'none',
  priority: 1,
  lockMemory: false,
  cpus: null,
};

/** What is in force in this thread. */
export class RealtimeControl {
  readonly #reporter: Reporter;
  /** The processors that the thread was started with. */
  readonly #cpusBefore = allowedCpus();
  #settings = ordinary;
  #report: RealtimeReport = { ...ordinary, scheduler: 'none', failures: [] };

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** What is in force, and what was refused. */
  get report(): RealtimeReport {
    return this.#report;
  }

  /** Changes what is other than before. */
  apply(settings: RealtimeSettings = ordinary): void {
    const before = this.#settings;
    if (isSameValue(before, settings)) return;
    this.#settings = settings;
    const failures: string[] = [];
    const attempt = (what: string, act: () => void): boolean => {
      try {
        act();
        return true;
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        failures.push(`${what}: ${cause}`);
        this.#reporter.log('warn', `the election runs without ${what}: ${cause}`, {});
        return false;
      }
    };
    const { scheduler, priority, cpus } = settings;
    const isRoundRobin =
      (scheduler === 'round-robin' &&
        attempt('scheduler round-robin', () => scheduleRoundRobin(priority))) ||
      (scheduler === 'auto' && this.#scheduleIfPermitted(priority));
    if (!isRoundRobin && this.#report.scheduler === 'round-robin') {
      attempt('scheduler none', scheduleOrdinarily);
    }
    const isLocked = attempt('locked memory', () => {
      if (settings.lockMemory) lockMemory();
      else if (before.lockMemory) unlockMemory();
    });
    const isPinned = attempt('processors of its own', () => {
      if (cpus !== null) allowCpus(cpus);
      else if (before.cpus !== null) allowCpus(this.#cpusBefore);
    });
    this.#report = {
      scheduler: isRoundRobin ? 'round-robin' : 'none',
      priority,
      lockMemory: isLocked && settings.lockMemory,
      cpus: isPinned ? cpus : null,
      failures,
    };
  }

  /** A container or a user without the right to it elects all the same; that is no failure. */
  #scheduleIfPermitted(priority: number): boolean {
    try {
      scheduleRoundRobin(priority);
      return true;
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      const text = `the election is scheduled like any other thread: ${cause}`;
      this.#reporter.log('info', text, {});
      return false;
    }
  }
}
