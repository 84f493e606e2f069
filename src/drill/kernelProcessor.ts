/**
 * The processor that an embedded kernel runs on.
 *
 * It has one processor, and is a few processes that wake each other at every system call and page
 * fault of a program inside. On two processors each such step waits for the other one to wake up:
 * the same work takes two to three times as long, and never twice the same time.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderPrefix } from './staleEmbeddedKernels.js';

/** In the folder of an embedded kernel: the number of its processor. */
const fileName = 'processor';

/**
 * Chooses the processor on which the fewest other embedded kernels run, and notes it in the folder
 * of the kernel that is to run there. `undefined` where there is no choice.
 */
export function takeProcessor(folder: string, parentFolder: string): number | undefined {
  const allowed = allowedProcessors(readFileSync('/proc/self/status', 'utf8'));
  const chosen = leastTaken(allowed, takenProcessors(parentFolder));
  if (chosen !== undefined) writeFileSync(join(folder, fileName), String(chosen));
  return chosen;
}

/** The processors that a process may run on, from its `/proc/PID/status`. */
export function allowedProcessors(status: string): readonly number[] {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)/m.exec(status)?.[1];
  if (list === undefined) return [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return numbersBetween(first, last);
  });
}

/** The one of several that occurs least among those taken; of equals the last one. */
export function leastTaken(
  allowed: readonly number[],
  taken: readonly number[],
): number | undefined {
  if (allowed.length < 2) return undefined;
  const uses = (processor: number): number => taken.filter((each) => each === processor).length;
  return allowed.toSorted((left, right) => uses(left) - uses(right) || right - left)[0];
}

function numbersBetween(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function takenProcessors(parentFolder: string): readonly number[] {
  const folders = readdirSync(parentFolder).filter((entry) => entry.startsWith(folderPrefix));
  return folders.flatMap((entry) => {
    try {
      return [Number(readFileSync(join(parentFolder, entry, fileName), 'utf8'))];
    } catch {
      // Without a choice, or gone by now.
      return [];
    }
  });
}
