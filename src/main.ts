#!/usr/bin/env node
/** The executable: runs a command and turns what it throws into two lines and an exit code. */
import { runProgram } from './cli/program.js';
import { TandemError } from './errors.js';

try {
  await runProgram(process.argv);
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
