/** Counts processes for all process trackers in one pass over /proc. */
import { type ProcessEntry, readProcesses } from '../kernel/processTable.js';
import { observeProcesses } from './mainObservation.js';
import type { ProcessSubject, TrackerObservation } from './model.js';
import type { Observer, Watch } from './scriptTracker.js';

interface Entry {
  readonly subject: ProcessSubject;
  readonly observer: Observer;
  dueMs: number;
}

/** The trackers that look at processes. */
export class ProcessWatch {
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  /** Counts at once, and then every interval of the subject. */
  watch(subject: ProcessSubject, observer: Observer): Watch {
    const entry: Entry = { subject, observer, dueMs: performance.now() };
    this.#entries.add(entry);
    this.#arm();
    return {
      close: () => {
        this.#entries.delete(entry);
        this.#arm();
      },
    };
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#looking || this.#entries.size === 0) return;
    const nextMs = Math.min(...[...this.#entries].map(({ dueMs }) => dueMs));
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, nextMs - performance.now()));
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const nowMs = performance.now();
    const due = [...this.#entries].filter(({ dueMs }) => dueMs <= nowMs);
    const looked = await lookOnce(due.map(({ subject }) => subject));
    this.#looking = false;
    const endMs = performance.now();
    for (const entry of due) {
      if (!this.#entries.has(entry)) continue;
      // Looks that were missed are left out: a count has no past.
      entry.dueMs = Math.max(entry.dueMs + entry.subject.intervalMs, endMs);
      entry.observer(judge(entry.subject, looked));
    }
    this.#arm();
  }
}

type Looked = readonly ProcessEntry[] | { readonly error: string };

async function lookOnce(subjects: readonly ProcessSubject[]): Promise<Looked> {
  // Command lines cost a second file each, so that only those are read that decide something.
  const byCommandLine = subjects.filter(({ commandContains }) => commandContains !== undefined);
  try {
    return await readProcesses((name) =>
      byCommandLine.some(({ process }) => process === undefined || process.startsWith(name)),
    );
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function judge(subject: ProcessSubject, looked: Looked): TrackerObservation {
  if (!('error' in looked)) return observeProcesses(subject, looked);
  return { outcome: 'inconclusive', detail: looked.error };
}
