/** The script probe: a program of the operator, by the rules of tracker scripts and hooks. */
import { startCommand } from '../../kernel/childProcess.js';
import { commandEnvironment, commandUser, defaultUser } from '../../kernel/commandUser.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { fillIn } from './placeholders.js';
import { failed, inconclusive, type Probe, type ProbeOutcome } from './probe.js';
import { exitVerdict } from './scriptExit.js';

/** The deadline of the probe comes first; this is for a thread that has stopped hearing it. */
const timeoutMs = 660_000;

/** Runs it once. At the deadline it is ended with all that it has started. */
export const probeScript: Probe<ProbeSpecOf<'script'>> = (target, spec, signal) => {
  const { address, port } = target;
  try {
    const user = commandUser(spec.user, defaultUser);
    const command = startCommand({
      command: spec.command.map((word) => fillIn(word, target)),
      timeoutMs,
      environment: {
        ...commandEnvironment,
        TANDEM_SERVER_ADDRESS: address,
        TANDEM_SERVER_PORT: String(port),
      },
      ...(user === undefined ? {} : { user }),
    });
    return new Promise((resolve) => {
      const settle = (outcome: ProbeOutcome): void => {
        signal.removeEventListener('abort', onDeadline);
        resolve(outcome);
      };
      const onDeadline = (): void => {
        command.end();
        settle(failed('timeout', 'the command did not end in time'));
      };
      void command.finished.then((result) => settle(exitVerdict(result, spec.exitCodeIsWeight)));
      if (signal.aborted) onDeadline();
      else signal.addEventListener('abort', onDeadline, { once: true });
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return Promise.resolve(inconclusive('command-not-started', text));
  }
};
