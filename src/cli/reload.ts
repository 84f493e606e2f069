/** `tandem reload`: lets the running agent load its configuration again. */
import { Command } from 'commander';
import { requestReload } from '../api/client.js';
import { defaultSocketPath } from './defaults.js';

/** The command. It throws what the agent refused the file with; nothing has changed then. */
export function reloadCommand(): Command {
  return new Command('reload')
    .description('Load the configuration file again; only the differences are applied.')
    .option('--force', 'also where it removes more than reload.maxRemovedShare allows')
    .option('--socket <path>', 'API socket of the agent', defaultSocketPath(process.env))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  tandem reload')
    .action(async (options: { socket: string; force?: boolean; json?: boolean }) => {
      const result = await requestReload(options.socket, options.force === true);
      if (options.json === true) {
        console.log(JSON.stringify(result, null, 2));
        return;
      }
      console.log(result.message);
      for (const warning of result.warnings) console.error(`warning: ${warning}`);
    });
}
