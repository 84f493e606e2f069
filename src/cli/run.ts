/** `tandem run`: the agent in the foreground, as systemd starts it. */
import { hostname } from 'node:os';
import { Command } from 'commander';
import { runAgent } from '../agent/run.js';
import { defaultConfigPath } from './defaults.js';
import { packageVersion } from './version.js';

/** The command. It returns when the agent has stopped. */
export function runCommand(): Command {
  return new Command('run')
    .description('Run the agent in the foreground until it is told to stop.')
    .option('-c, --config <file>', 'configuration file', defaultConfigPath)
    .option('--node <name>', 'which node of the configuration this machine is')
    .addHelpText('after', '\nExample:\n  tandem run -c /etc/tandem/tandem.yaml --node lb1')
    .action(async (options: { config: string; node?: string }) => {
      await runAgent({
        configPath: options.config,
        node: options.node ?? process.env.TANDEM_NODE,
        hostname: hostname(),
        environment: process.env,
        version: packageVersion(),
      });
    });
}
