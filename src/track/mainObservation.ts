/** What a script's end, a file's content or a count says of a tracker. Pure. */
import { printable } from '../health/probes/printable.js';
import type { HealthState } from '../health/reasons.js';
import type { CommandResult } from '../kernel/childProcess.js';
import type { ProcessEntry } from '../kernel/processTable.js';
import type { FileSubject, ProcessSubject, ServiceSubject, TrackerObservation } from './model.js';

/** The kernel keeps this many characters of a program's name (TASK_COMM_LEN without the NUL). */
const commandNameMax = 15;

/** The greatest value of a file; a priority has no more to lose. */
const fileValueMax = 253;

/** Judges a script by its end. A machine short of memory or processes says nothing about it. */
export function observeScript(result: CommandResult): TrackerObservation {
  const { end, output, durationMs } = result;
  const rest = output.trim() === '' ? '' : `: ${output}`;
  const observation = (outcome: TrackerObservation['outcome'], text: string) => ({
    outcome,
    detail: printable(`${text}${rest}`),
    durationMs,
  });
  switch (end.kind) {
    case 'exited':
      return observation(end.code === 0 ? 'passed' : 'failed', `status ${end.code}`);
    case 'signalled':
      return observation('failed', `ended by ${end.signal}`);
    case 'timed-out':
      return observation('failed', `ended after ${durationMs} ms, its timeout`);
    case 'not-started':
      return observation(end.exhausted ? 'inconclusive' : 'failed', end.message);
  }
}

/** What was found at the path of a file tracker; `undefined`: nothing. */
export type FileContent = { readonly text: string } | { readonly error: string } | undefined;

/**
 * Judges a file. Content that is no number in range changes nothing: it may be half written, and
 * the next look sees the rest.
 */
export function observeFile(subject: FileSubject, content: FileContent): TrackerObservation {
  if (content === undefined) {
    return fromValue(subject.valueWhenMissing, `not there, counts as ${subject.valueWhenMissing}`);
  }
  if ('error' in content) return { outcome: 'inconclusive', detail: printable(content.error) };
  const text = content.text.trim();
  const value = /^[+-]?\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(value) <= fileValueMax)) {
    const expected = `an integer from -${fileValueMax} to ${fileValueMax}`;
    const detail = printable(`not ${expected}, the last value stays: ${text || '(empty)'}`);
    return { outcome: 'inconclusive', detail };
  }
  return fromValue(value, `value ${value}`);
}

function fromValue(value: number, detail: string): TrackerObservation {
  return { outcome: value === 0 ? 'passed' : 'failed', value, detail };
}

/** Judges the number of processes. */
export function observeProcesses(
  subject: ProcessSubject,
  processes: readonly ProcessEntry[],
): TrackerObservation {
  const { min, max = Number.POSITIVE_INFINITY } = subject;
  const found = processes.filter((entry) => isMatch(subject, entry)).length;
  const wanted = max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
  const outcome = found >= min && found <= max ? 'passed' : 'failed';
  return { outcome, detail: `${found} run, ${wanted} wanted` };
}

function isMatch(subject: ProcessSubject, { name, commandLine }: ProcessEntry): boolean {
  const { process, commandContains } = subject;
  if (process !== undefined && name !== process.slice(0, commandNameMax)) return false;
  return commandContains === undefined || commandLine.includes(commandContains);
}

/**
 * Judges a virtual service by the states of its servers; one without a check counts as up. While
 * servers that are not known yet could make the difference, nothing is concluded.
 */
export function observeService(
  subject: ServiceSubject,
  servers: readonly HealthState[],
): TrackerObservation {
  const count = (state: HealthState): number => servers.filter((each) => each === state).length;
  const [up, unknown] = [count('up'), count('unknown')];
  const detail = `${up} of ${servers.length} servers up, ${subject.minServersUp} wanted`;
  if (up >= subject.minServersUp) return { outcome: 'passed', detail };
  const couldPass = up + unknown >= subject.minServersUp;
  return { outcome: couldPass ? 'inconclusive' : 'failed', detail };
}
