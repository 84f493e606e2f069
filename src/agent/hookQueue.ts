/**
 * Which hooks run and which wait. Pure. For one virtual router or sync group they run one at a
 * time and in the order of the changes; those of different ones run side by side.
 */

/** Most hooks that run at once, over all routers and groups. */
export const hooksRunningMax = 8;

/**
 * Most hooks that wait for one router or group. Beyond it the oldest that waits is dropped: what
 * matters in the end is the last state.
 */
export const hooksWaitingMax = 32;

/** What is queued: only its target matters here. */
export interface QueuedHook {
  /** The router or group whose order is kept. */
  readonly target: string;
}

/** The queue. */
export interface HookQueue<Job extends QueuedHook> {
  readonly running: readonly Job[];
  /** In the order in which they came. */
  readonly waiting: readonly Job[];
}

/** A queue with nothing in it. */
export const emptyHookQueue: HookQueue<never> = { running: [], waiting: [] };

/** Puts a hook at the end; `dropped` is what had to go for it. */
export function enqueue<Job extends QueuedHook>(
  queue: HookQueue<Job>,
  job: Job,
): { readonly queue: HookQueue<Job>; readonly dropped: Job | undefined } {
  const others = queue.waiting.filter(({ target }) => target === job.target);
  const dropped = others.length >= hooksWaitingMax ? others[0] : undefined;
  const waiting = [...queue.waiting.filter((each) => each !== dropped), job];
  return { queue: { ...queue, waiting }, dropped };
}

/** Takes out the hooks that may start now. */
export function startNext<Job extends QueuedHook>(
  queue: HookQueue<Job>,
): { readonly queue: HookQueue<Job>; readonly started: readonly Job[] } {
  const busy = new Set(queue.running.map(({ target }) => target));
  const started: Job[] = [];
  for (const job of queue.waiting) {
    if (queue.running.length + started.length >= hooksRunningMax) break;
    if (busy.has(job.target)) continue;
    busy.add(job.target);
    started.push(job);
  }
  return {
    queue: {
      running: [...queue.running, ...started],
      waiting: queue.waiting.filter((job) => !started.includes(job)),
    },
    started,
  };
}

/** A hook has ended. */
export function finish<Job extends QueuedHook>(queue: HookQueue<Job>, job: Job): HookQueue<Job> {
  return { ...queue, running: queue.running.filter((each) => each !== job) };
}
