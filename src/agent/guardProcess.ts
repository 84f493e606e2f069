/**
 * The guard: a small process beside the agent that does nothing until the agent dies without
 * having ended its guard before: by SIGKILL, for want of memory, or by a crash of the runtime.
 * Then it says priority 0 in the agent's place and takes its addresses off, so that the peer takes
 * over after Skew_Time, not after Active_Down_Interval, and no address is on two directors.
 *
 * It must never act while an agent lives. So it acts on one sign only, which the kernel gives and
 * no frozen, slow or confused agent can: the holder of the lifeline is dead. And when that was a
 * while ago, because the guard itself was held up, it looks for a successor of the agent first.
 */
import { companionLifelineFd } from '../kernel/companionProcess.js';
import { watchLifeline } from '../kernel/lifeline.js';
import { scheduleProcessRoundRobin } from '../kernel/realtime.js';
import { isListenedOn } from '../kernel/unixListener.js';
import { releaseAddresses, StandbyRelease } from '../vrrp/release.js';
import type { FromGuard, ToGuard } from './guardProtocol.js';

/** How long the death of the agent may be behind its closed channel, in milliseconds. */
const deathWaitMs = 5_000;

let task: ToGuard | undefined;
let standby: StandbyRelease | undefined;

// Whoever wants the director to stop tells the agent, and that one ends its guard.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

process.on('message', (message: ToGuard) => {
  task = message;
  standby?.close();
  hurry(message.configuration);
  try {
    standby = new StandbyRelease(message.configuration);
  } catch {
    // What is missing now may be there when it counts.
    standby = undefined;
  }
  process.send?.({ type: 'ready' } satisfies FromGuard);
});

// The thread that waits for the lifeline would keep a polite exit from coming to an end.
process.on('disconnect', () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), deathWaitMs));

watchLifeline(companionLifelineFd, () => {
  if (task === undefined || hasSuccessor(task)) process.exit(0);
  void actFor(task).finally(() => process.exit(0));
});

/** What it does in the end is part of the election, and is scheduled as that is where it may be. */
function hurry({ realtime }: ToGuard['configuration']): void {
  if (realtime === undefined || realtime.scheduler === 'none') return;
  try {
    scheduleProcessRoundRobin(realtime.priority);
  } catch {
    // The agent has told it of its own thread.
  }
}

/**
 * The socket of an agent that is still being put away is its own, and nobody else can have it. That
 * it is no longer our parent says nothing: the kernel hands us on when the main thread is gone, and
 * closes the socket with the last of the others, tens of milliseconds later.
 */
function hasSuccessor({ agentPid, socketPath }: ToGuard): boolean {
  return !isThere(agentPid) && isListenedOn(socketPath);
}

/** Whether there is a process of this number, be it a dying or a dead one. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function actFor({ agentPid, configuration }: ToGuard): Promise<void> {
  const { fields, message } = release(configuration);
  if (message === undefined) return;
  // Only now, when there is time for it.
  const { openLog } = await import('./logger.js');
  const log = await openLog('info', process.stderr.isTTY === true, 2);
  log.logger.warn({ agentPid, ...fields }, message);
  log.flush();
}

/** What was done, for the log; no message when the agent has left nothing behind. */
function release(configuration: ToGuard['configuration']): {
  readonly message?: string;
  readonly fields: object;
} {
  try {
    const { resigned, removed } = standby?.release() ?? releaseAddresses(configuration);
    if (removed.length === 0) return { fields: {} };
    const message = `the agent died; ${removed.length} addresses were given up in its place`;
    return { message, fields: { resigned } };
  } catch (error) {
    const message = 'the agent died, and not all of its addresses could be given up in its place';
    return { message, fields: { err: error } };
  }
}
