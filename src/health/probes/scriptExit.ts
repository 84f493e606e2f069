/** What the end of a command says of a server. */
import type { CommandResult } from '../../kernel/childProcess.js';
import { failed, inconclusive, type ProbeOutcome, passed } from './probe.js';

/** Exit codes from here on are a share of the weight, where the check says so. */
const weightBase = 2;

/**
 * 0 passes, all else fails. With `isWeight`, 2..102 passes with 0..100 % of the weight: the codes
 * of keepalived's `misc_dynamic`, of which 0 and 1 mean the same as always.
 */
export function exitVerdict({ end, output }: CommandResult, isWeight: boolean): ProbeOutcome {
  const said = output.trim() === '' ? '' : `: ${output.trim()}`;
  switch (end.kind) {
    case 'exited': {
      const { code } = end;
      if (code === 0) return passed(`exit status 0${said}`);
      const percent = code - weightBase;
      if (isWeight && percent >= 0 && percent <= 100) {
        return passed(`exit status ${code}, weight ${percent} %${said}`, percent);
      }
      return failed('command-failed', `exit status ${code}${said}`);
    }
    case 'signalled':
      return failed('command-failed', `ended by ${end.signal}${said}`);
    case 'timed-out':
      return failed('timeout', 'the command did not end in time');
    case 'not-started':
      return inconclusive(end.exhausted ? 'local-resources' : 'command-not-started', end.message);
  }
}
