/** `tandem undrain`: takes a drain back. */
import type { Command } from 'commander';
import { type OverrideOptions, overrideAndPrint, serverCommand } from './overrideOptions.js';

/** The command. */
export function undrainCommand(): Command {
  return serverCommand('undrain', 'Take a drain back: the server gets its weight again.')
    .addHelpText('after', '\nExample:\n  tandem undrain web/192.168.0.10:80')
    .action((server: string, options: OverrideOptions) =>
      overrideAndPrint('undrain', server, options),
    );
}
