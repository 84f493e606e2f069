/**
 * `--restore`: the input is read and planned whole, the kernel gets only the differences, and when
 * it refuses one of them, everything is taken back.
 */
import type { TandemError } from '../../errors.js';
import type { ListedTableService } from '../table.js';
import { carryOut, type Undo } from './changeCommands.js';
import { type CommandContext, readTable } from './context.js';
import { isListCommand, runListCommand } from './listCommands.js';
import type { CommandRefusal } from './model.js';
import { ownedOperations } from './ownership.js';
import { parseRestoreInput, type RestoreLine } from './restoreInput.js';
import {
  planRestore,
  planRollback,
  type RestorePlan,
  servicesOfInput,
  touchedServices,
} from './restorePlan.js';

/**
 * Restores from the input. With `replace` the table is taken for empty first, as
 * `ipvsadm-restore` does it. Gives the refusal of the input, or nothing when all of it holds;
 * throws the refusal of the kernel or the agent's ownership.
 */
export async function runRestore(
  context: CommandContext,
  replace: boolean,
): Promise<CommandRefusal | undefined> {
  const lines = await readLines(context);
  if ('message' in lines) return lines;
  const whole: readonly RestoreLine[] = replace
    ? [{ lineNumber: 0, command: { kind: 'clear' } }, ...lines]
    : lines;
  const before = await readTable(context.table, servicesOfInput(whole));
  const plan = planRestore(whole, before);
  if ('message' in plan) return plan;
  const owner = await context.ownership();
  const owned = owner && ownedOperations(plan.operations, owner);
  if (owned !== undefined) throw owned;
  await apply(context, plan, before);
  return undefined;
}

async function readLines(
  context: CommandContext,
): Promise<readonly RestoreLine[] | CommandRefusal> {
  const text = await context.io.readInput();
  const lines = parseRestoreInput(text, context.names);
  if (!context.names.incomplete) return lines;
  await context.names.learn();
  return parseRestoreInput(text, context.names);
}

async function apply(
  context: CommandContext,
  plan: RestorePlan,
  before: readonly ListedTableService[],
): Promise<void> {
  const undoing: Undo[] = [];
  try {
    const results = await context.table.apply(plan.operations);
    const refusal = results.find((result) => result !== undefined);
    if (refusal !== undefined) throw refusal;
    for (const { command } of plan.afterwards) {
      if (isListCommand(command)) await runListCommand(context, command);
      else if (isChange(command)) {
        const undo = await carryOut(context, command);
        if (undo !== undefined) undoing.push(undo);
      }
    }
  } catch (error) {
    for (const undo of undoing.reverse()) await undo();
    await rollBack(context, plan, before);
    throw error;
  }
}

function isChange(command: RestoreLine['command']): command is Parameters<typeof carryOut>[1] {
  return command.kind !== 'help' && command.kind !== 'version' && command.kind !== 'restore';
}

/** Brings the services that the plan touched back to what they were. */
async function rollBack(
  { table, io }: CommandContext,
  plan: RestorePlan,
  before: readonly ListedTableService[],
): Promise<void> {
  if (plan.operations.length === 0) return;
  const now = await readTable(table, touchedServices(plan.operations));
  const results = await table.apply(planRollback(plan.operations, before, now));
  const failures = results.filter((result): result is TandemError => result !== undefined);
  for (const { message } of failures) io.writeError(`could not be taken back: ${message}\n`);
}
