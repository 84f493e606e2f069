/**
 * Gives back the memory that reading a large file took.
 *
 * V8 keeps what it once had for young objects, 16 to 32 MiB after ten thousand servers, and pages
 * that are mostly empty; an agent then runs for months without ever needing them. V8 gives them up
 * when it is told that memory is short, which a program can tell it through its inspector only.
 * That collects the garbage of main, of no other thread, and takes as long as a small reload.
 */

/** How long after the start, when all of it is over, in milliseconds. */
export const afterStartMs = 500;

/** How long after a file was read for a reload, which should be over by then, in milliseconds. */
export const afterReadMs = 2_000;

/** A function that gives memory back in so many milliseconds, unless it is about to anyway. */
export function memoryRelease(): (delayMs: number) => void {
  let isDue = false;
  return (delayMs) => {
    if (isDue) return;
    isDue = true;
    const release = (): void => {
      isDue = false;
      void giveMemoryBack();
    };
    setTimeout(release, delayMs).unref();
  };
}

/** Gives back what this thread does not use. Node may have been built without an inspector. */
export async function giveMemoryBack(): Promise<void> {
  if (!process.features.inspector) return;
  const { Session } = await import('node:inspector');
  const session = new Session();
  session.connect();
  await new Promise<void>((resolve) => {
    // A refusal costs memory and nothing else.
    session.post('HeapProfiler.collectGarbage', () => resolve());
  });
  session.disconnect();
}
