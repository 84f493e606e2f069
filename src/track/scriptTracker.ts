/** Runs the command of a script tracker again and again, never twice at once. */
import { type RunningCommand, startCommand } from '../kernel/childProcess.js';
import { commandEnvironment, commandUser, defaultUser } from '../kernel/commandUser.js';
import type { ProcessUser } from '../kernel/userDatabase.js';
import { observeScript } from './mainObservation.js';
import type { ScriptSubject, TrackerObservation } from './model.js';

/** Looks at one subject until it is closed. */
export interface Watch {
  close(): void;
}

/** What is done with an observation. */
export type Observer = (observation: TrackerObservation) => void;

/** Starts it at once, and then every interval; a run that takes longer puts the next one off. */
export function watchScript(name: string, subject: ScriptSubject, observer: Observer): Watch {
  let running: RunningCommand | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const run = async (): Promise<void> => {
    const startedMs = performance.now();
    const observation = await runOnce(name, subject, (command) => {
      running = command;
    });
    running = undefined;
    if (closed) return;
    const restMs = subject.intervalMs - (performance.now() - startedMs);
    timer = setTimeout(() => void run(), Math.max(0, restMs));
    observer(observation);
  };
  void run();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      running?.end();
    },
  };
}

async function runOnce(
  name: string,
  subject: ScriptSubject,
  onStart: (command: RunningCommand) => void,
): Promise<TrackerObservation> {
  let user: ProcessUser | undefined;
  try {
    user = commandUser(subject.user, defaultUser);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { outcome: 'failed', detail };
  }
  const command = startCommand({
    command: subject.command,
    timeoutMs: subject.timeoutMs,
    environment: { ...commandEnvironment, TANDEM_TRACKER: name },
    ...(user === undefined ? {} : { user }),
  });
  onStart(command);
  return observeScript(await command.finished);
}
