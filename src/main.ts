#!/usr/bin/env node
/** The executable: runs a command and turns what it throws into two lines and an exit code. */
import { ipvsInvocation } from './cli/ipvsInvocation.js';
import { TandemError } from './errors.js';
import { scriptUrl } from './scripts.js';

try {
  await runCommand(process.argv);
} catch (error) {
  if (error instanceof TandemError) {
    process.stderr.write(`tandem: ${error.message}\n  hint: ${error.hint}\n`);
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`tandem: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.stderr.write('  hint: this is a bug; please report the lines above\n');
    process.exitCode = 1;
  }
}

/** Only what a command needs is loaded: scripts call ipvsadm in loops. */
async function runCommand(argv: readonly string[]): Promise<void> {
  const invocation = ipvsInvocation(argv);
  if (invocation !== undefined) {
    const script = scriptUrl('cli/ipvsProcess').href;
    const { runIpvsCommandLine }: typeof import('./cli/ipvsProcess.js') = await import(script);
    await runIpvsCommandLine(invocation.program, invocation.words);
    return;
  }
  const { runProgram } = await import('./cli/program.js');
  await runProgram(argv);
}
