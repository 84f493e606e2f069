/** `tandem weight`: another weight than the configured one, until it is taken back. */
import { type Command, InvalidArgumentError } from 'commander';
import { weightMax } from '../wire/overrideModel.js';
import { type OverrideOptions, overrideAndPrint, serverCommand } from './overrideOptions.js';

/** The command. */
export function weightCommand(): Command {
  return serverCommand('weight', 'Set the weight of a server, or go back to the configured one.')
    .argument('<weight>', 'a number, or `configured` to take it back', parseWeight)
    .addHelpText('after', help)
    .action((server: string, weight: number | 'configured', options: OverrideOptions) =>
      weight === 'configured'
        ? overrideAndPrint('unweight', server, options)
        : overrideAndPrint('weight', server, options, weight),
    );
}

const help = `
The weight counts while the server is healthy. It survives reload, restart and takeover.

Example:
  tandem weight web/192.168.0.10:80 5 --reason 'half of its processors are broken'
  tandem weight web/192.168.0.10:80 configured`;

function parseWeight(text: string): number | 'configured' {
  if (text === 'configured') return text;
  const weight = Number(text);
  if (/^\d+$/.test(text) && weight <= weightMax) return weight;
  throw new InvalidArgumentError(`must be 0 to ${weightMax}, or \`configured\``);
}
