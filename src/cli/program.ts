/** The command line of `tandem`: one command per file, put together here. */
import { Command, CommanderError } from 'commander';
import { TandemError } from '../errors.js';
import { packageVersion } from './version.js';

/** Every command, in the order of the help; a command line waits only for what it names. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.js')).runCommand(),
  check: async () => (await import('./check.js')).checkCommand(),
  reload: async () => (await import('./reload.js')).reloadCommand(),
  status: async () => (await import('./status.js')).statusCommand(),
  plan: async () => (await import('./plan.js')).planCommand(),
  drain: async () => (await import('./drain.js')).drainCommand(),
  undrain: async () => (await import('./undrain.js')).undrainCommand(),
  maintain: async () => (await import('./maintain.js')).maintainCommand(),
  weight: async () => (await import('./weight.js')).weightCommand(),
  failover: async () => (await import('./failover.js')).failoverCommand(),
  sync: async () => (await import('./sync.js')).syncCommand(),
  release: async () => (await import('./release.js')).releaseCommand(),
  'peer-key': async () => (await import('./peerKey.js')).peerKeyCommand(),
  ipvs: async () => (await import('./ipvs.js')).ipvsCommand(),
  drill: async () => (await import('./drill.js')).drillCommand(),
  lab: async () => (await import('./lab.js')).labCommand(),
  realserver: async () => (await import('./realServer.js')).realServerCommand(),
  probe: async () => (await import('./probe.js')).probeCommand(),
  doctor: async () => (await import('./doctor.js')).doctorCommand(),
};

/**
 * Builds the program, with the command that the words begin with, or with all of them when they
 * begin with none. Errors are thrown, never printed, so that one place prints them.
 */
export async function buildProgram([name = '']: readonly string[]): Promise<Command> {
  const program = new Command('tandem')
    .description('High-availability director agent for Linux Virtual Server.')
    .version(packageVersion(), '-V, --version', 'print the version')
    // Options after the name of a command belong to it, so that `lab exec` can pass them on.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', exitCodesHelp);
  const named = Object.hasOwn(commands, name) ? commands[name] : undefined;
  for (const load of named === undefined ? Object.values(commands) : [named]) {
    program.addCommand(await load());
  }
  for (const command of [program, ...allCommands(program)]) {
    command.exitOverride().configureOutput({ writeErr: () => {} });
  }
  return program;
}

/** Runs a command line; what it throws is a {@link TandemError} or a bug. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = await buildProgram(argv.slice(2));
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
