/** A second Node process of this program that lives beside the agent, with a channel to it. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What keeps a process small that does next to nothing; numbers are megabytes. */
const frugalOptions = ['--max-semi-space-size=1', '--max-old-space-size=64', '--v8-pool-size=0'];

/** The descriptor at which a companion finds its lifeline. */
export const companionLifelineFd = 4;

/** How a companion ended. */
export interface CompanionExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running companion. */
export interface CompanionProcess<Message> {
  readonly pid: number;
  /** Sends a message; does nothing when it has ended. */
  post(message: Message): void;
  /** Ends it at once. */
  kill(): void;
}

/** What is told of a companion. */
export interface CompanionEvents<Report> {
  readonly onReport: (report: Report) => void;
  /** Called once. The error says why it could not be started. */
  readonly onEnd: (exit: CompanionExit, error: Error | undefined) => void;
}

/**
 * Starts a compiled file of ours and hands it a lifeline (`lifeline.ts`). It has a session of its
 * own, so that a terminal's Ctrl-C and what else goes to the process group of the agent does not
 * reach it, and it shares the agent's standard error. It never keeps this process from ending.
 * Throws when the kernel refuses it.
 */
export function startCompanion<Message extends object, Report>(
  script: URL,
  lifelineFd: number,
  { onReport, onEnd }: CompanionEvents<Report>,
): CompanionProcess<Message> {
  const child = fork(fileURLToPath(script), [], {
    detached: true,
    execArgv: frugalOptions,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', lifelineFd],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  let ended = false;
  const end = (exit: CompanionExit, error?: Error): void => {
    if (ended) return;
    ended = true;
    onEnd(exit, error);
  };
  child.once('error', (error) => end({ code: null, signal: null }, error));
  child.once('exit', (code, signal) => end({ code, signal }));
  child.on('message', (message) => onReport(message as Report));
  child.unref();
  child.channel?.unref();
  return {
    pid: child.pid ?? 0,
    post: (message) => {
      // What cannot be delivered any more is told by the end of the process.
      if (child.connected) child.send(message, () => {});
    },
    kill: () => {
      child.kill('SIGKILL');
      if (child.connected) child.disconnect();
    },
  };
}
