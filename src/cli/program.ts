/** The command line of `tandem`: one command per file, put together here. */
import { Command, CommanderError } from 'commander';
import { TandemError } from '../errors.js';
import { checkCommand } from './check.js';
import { drainCommand } from './drain.js';
import { drillCommand } from './drill.js';
import { failoverCommand } from './failover.js';
import { ipvsCommand } from './ipvs.js';
import { labCommand } from './lab.js';
import { maintainCommand } from './maintain.js';
import { peerKeyCommand } from './peerKey.js';
import { planCommand } from './plan.js';
import { probeCommand } from './probe.js';
import { realServerCommand } from './realServer.js';
import { releaseCommand } from './release.js';
import { reloadCommand } from './reload.js';
import { runCommand } from './run.js';
import { statusCommand } from './status.js';
import { undrainCommand } from './undrain.js';
import { packageVersion } from './version.js';
import { weightCommand } from './weight.js';

/** Builds the whole program. Errors are thrown, never printed, so that one place prints them. */
export function buildProgram(): Command {
  const program = new Command('tandem')
    .description('High-availability director agent for Linux Virtual Server.')
    .version(packageVersion(), '-V, --version', 'print the version')
    // Options after the name of a command belong to it, so that `lab exec` can pass them on.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', exitCodesHelp);
  for (const command of [
    runCommand(),
    checkCommand(),
    reloadCommand(),
    statusCommand(),
    planCommand(),
    drainCommand(),
    undrainCommand(),
    maintainCommand(),
    weightCommand(),
    failoverCommand(),
    releaseCommand(),
    peerKeyCommand(),
    ipvsCommand(),
    drillCommand(),
    labCommand(),
    realServerCommand(),
    probeCommand(),
  ]) {
    program.addCommand(command);
  }
  for (const command of [program, ...allCommands(program)]) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  return program;
}

/** Runs a command line; what it throws is a {@link TandemError} or a bug. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = buildProgram();
  if (argv.length <= 2) {
    program.outputHelp();
    return;
  }
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version have been printed by then and are successes.
    if (error.exitCode === 0) return;
    throw new TandemError('USAGE', error.message.replace(/^error: /, ''), { cause: error });
  }
}

function allCommands(command: Command): readonly Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)]);
}

const exitCodesHelp = `
Exit codes: 0 done, 1 the operation failed, 2 usage or configuration error.

Example:
  tandem check /etc/tandem/tandem.yaml && tandem run -c /etc/tandem/tandem.yaml`;
