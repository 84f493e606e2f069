/** Tells whether a process is to be ipvsadm, before anything is loaded for it. */
import { basename } from 'node:path';
import type { ProgramName } from '../ipvs/command/run.js';

/** What a process that was started with these words is to be, if it is ipvsadm at all. */
export function ipvsInvocation(
  argv: readonly string[],
): { readonly program: ProgramName; readonly words: readonly string[] } | undefined {
  const program = basename(argv[1] ?? '').replace(/\.js$/, '');
  if (program === 'ipvsadm' || program === 'ipvsadm-save' || program === 'ipvsadm-restore') {
    return { program, words: argv.slice(2) };
  }
  return argv[2] === 'ipvs' ? { program: 'tandem ipvs', words: argv.slice(3) } : undefined;
}
