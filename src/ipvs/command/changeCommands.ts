/** The commands that change something in the kernel, one request each. */
import { TandemError } from '../../errors.js';
import type { SyncDaemonRole } from '../../wire/ipvsModel.js';
import type { CommandContext } from './context.js';
import type { ListCommand } from './listCommands.js';
import type { IpvsCommand } from './model.js';
import { ownedChange } from './ownership.js';

/** The commands that change something, `--restore` aside. */
export type ChangeCommand = Exclude<
  IpvsCommand,
  ListCommand | { readonly kind: 'restore' | 'help' | 'version' }
>;

/** Takes back what a command did. */
export type Undo = () => Promise<void>;

/** Carries a command out, unless it changes what a running agent owns. Throws the refusal. */
export async function runChangeCommand(
  context: CommandContext,
  command: ChangeCommand,
): Promise<void> {
  if (mayBeOwned(command)) {
    const owner = await context.ownership();
    const refusal = owner && ownedChange(command, owner);
    if (refusal !== undefined) throw refusal;
  }
  await carryOut(context, command);
}

/** Carries a command out; gives what takes it back, where something can. */
export async function carryOut(
  { table }: CommandContext,
  command: ChangeCommand,
): Promise<Undo | undefined> {
  switch (command.kind) {
    case 'change': {
      const [refusal] = await table.apply([command.operation]);
      if (refusal !== undefined) throw refusal;
      return undefined;
    }
    case 'clear':
      await table.flush();
      return undefined;
    case 'zero':
      await table.zero(command.service);
      return undefined;
    case 'set-timeouts': {
      const before = await table.timeouts();
      await table.setTimeouts(command.timeouts);
      return () => table.setTimeouts(before);
    }
    case 'start-daemon':
      await table.startDaemon(command.daemon);
      return () => table.stopDaemon(command.daemon.role);
    case 'stop-daemon': {
      const running = (await table.daemons()).find(({ role }) => role === command.role);
      if (running === undefined) throw noDaemon(command.role);
      await table.stopDaemon(command.role);
      return () => table.startDaemon(running);
    }
  }
}

/** Counters and timeouts are nobody's: the agent does not set them. */
function mayBeOwned(command: ChangeCommand): boolean {
  return command.kind !== 'zero' && command.kind !== 'set-timeouts';
}

function noDaemon(role: SyncDaemonRole): TandemError {
  return new TandemError('IPVS_REFUSED', `no ${role} sync daemon is running`, {
    hint: '-L --daemon lists those that run.',
  });
}
