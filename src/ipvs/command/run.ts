/** Runs one command line of `tandem ipvs`, or of ipvsadm and its two companions. */
import { TandemError } from '../../errors.js';
import { runChangeCommand } from './changeCommands.js';
import type { CommandContext, CommandIo } from './context.js';
import { isListCommand, runListCommand } from './listCommands.js';
import {
  type CommandExtras,
  type CommandRefusal,
  exitStatus,
  type IpvsCommand,
  type ParsedCommandLine,
} from './model.js';
import { HostNames } from './nameResolver.js';
import { askOwnership } from './ownership.js';
import { parseCommandLine } from './parse.js';
import { refusalHint } from './refusalHint.js';
import { runRestore } from './restoreCommand.js';
import { usageText, versionText } from './usage.js';

/** The names under which the command is known. */
export type ProgramName = 'tandem ipvs' | 'ipvsadm' | 'ipvsadm-save' | 'ipvsadm-restore';

/**
 * Runs the words after the name of the program and gives the exit status, which is ipvsadm's.
 * What goes wrong is told on standard error; nothing but a bug is thrown.
 */
export async function runIpvsCommand(
  program: ProgramName,
  words: readonly string[],
  io: CommandIo,
): Promise<number> {
  const names = new HostNames();
  const parsed = await parseWords(wordsOf(program, words), names);
  if (parsed.kind === 'refused') return tellRefusal(io, parsed);
  const { command, extras } = parsed;
  if (command.kind === 'help') {
    io.write(usageText(program));
    return exitStatus.done;
  }
  if (command.kind === 'version') {
    io.write(versionText);
    return exitStatus.done;
  }
  // Opening the kernel's door loads a native library, which help and bad options do not need.
  const { openIpvsTable } = await import('../../kernel/ipvsTable.js');
  let table: CommandContext['table'];
  try {
    table = await openIpvsTable();
  } catch (error) {
    tellError(io, command, error);
    return exitStatus.invalid;
  }
  try {
    const ownership = () => findOwner(extras, io);
    const context = { table, io, names, extras, ownership };
    return await runOnTable(context, command, program === 'ipvsadm-restore');
  } catch (error) {
    tellError(io, command, error);
    return isListCommand(command) ? exitStatus.listingFailed : exitStatus.refused;
  } finally {
    table.close();
  }
}

async function runOnTable(
  context: CommandContext,
  command: IpvsCommand,
  replace: boolean,
): Promise<number> {
  if (isListCommand(command)) {
    await runListCommand(context, command);
  } else if (command.kind === 'restore') {
    const refusal = await runRestore(context, replace);
    if (refusal !== undefined) return tellRefusal(context.io, refusal);
  } else if (command.kind !== 'help' && command.kind !== 'version') {
    await runChangeCommand(context, command);
  }
  return exitStatus.done;
}

/** The companions are the two commands under names of their own. */
function wordsOf(program: ProgramName, words: readonly string[]): readonly string[] {
  if (program === 'ipvsadm-save') return ['-S', ...words];
  if (program === 'ipvsadm-restore') return ['-R', ...words];
  return words;
}

/** Names of hosts are looked up when the first reading has shown which are needed. */
async function parseWords(words: readonly string[], names: HostNames): Promise<ParsedCommandLine> {
  const parsed = parseCommandLine(words, names);
  if (!names.incomplete) return parsed;
  await names.learn();
  return parseWords(words, names);
}

async function findOwner(extras: CommandExtras, io: CommandIo) {
  return extras.force ? undefined : askOwnership(extras.socketPath ?? io.socketPath);
}

function tellRefusal(io: CommandIo, refusal: CommandRefusal): number {
  io.writeError(`${refusal.message}\n`);
  return refusal.exitStatus;
}

function tellError(io: CommandIo, command: IpvsCommand, error: unknown): void {
  if (!(error instanceof TandemError)) throw error;
  const hint = refusalHint(command, error.errnoName) ?? error.hint;
  io.writeError(`${error.message}\n  hint: ${hint}\n`);
}
