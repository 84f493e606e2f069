/** What the commands that take servers out of service have in common. */
import { Command } from 'commander';
import { requestOverride } from '../api/client.js';
import type { OverrideAction, OverrideResult } from '../api/overrideModel.js';
import { userLengthMax } from '../wire/overrideModel.js';
import { defaultSocketPath } from './defaults.js';

/** Their options. */
export interface OverrideOptions {
  readonly all?: boolean;
  readonly reason?: string;
  readonly socket: string;
  readonly json?: boolean;
}

/** A command on a server, with the options of all of them. */
export function serverCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<server>', '[SERVICE/]ADDRESS[:PORT]')
    .option('--all', 'every server that it names, in all services')
    .option('--reason <text>', 'why, for those who look at the status')
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print the result as JSON');
}

/** Asks the agent. Throws what it refused. */
export function override(
  action: OverrideAction,
  server: string,
  options: OverrideOptions,
  weight?: number,
): Promise<OverrideResult> {
  const { all = false, reason = '' } = options;
  const user = userOf(process.env);
  return requestOverride(options.socket, {
    action,
    server,
    all,
    reason,
    user,
    ...(weight === undefined ? {} : { weight }),
  });
}

/** Asks the agent and prints what came of it. */
export async function overrideAndPrint(
  action: OverrideAction,
  server: string,
  options: OverrideOptions,
  weight?: number,
): Promise<void> {
  const result = await override(action, server, options, weight);
  console.log(options.json === true ? JSON.stringify(result, null, 2) : result.message);
}

/** Who sits at the terminal, as far as the environment tells; sudo keeps the name. */
function userOf(environment: NodeJS.ProcessEnv): string {
  return (environment.SUDO_USER ?? environment.USER ?? '').slice(0, userLengthMax);
}
