/** `tandem release`: gives up the virtual addresses that a dead agent left behind. */
import { hostname } from 'node:os';
import { Command } from 'commander';
import { releaseConfigured } from '../agent/release.js';
import { formatIpPrefix } from '../wire/ipAddress.js';
import { defaultConfigPath } from './defaults.js';

/** The command. It refuses while an agent answers on the API socket, since that one holds them. */
export function releaseCommand(): Command {
  return new Command('release')
    .description('Give up the virtual IPs that a dead agent left behind (systemd ExecStopPost).')
    .option('-c, --config <file>', 'configuration file', defaultConfigPath)
    .option('--node <name>', 'which node of the configuration this machine is')
    .option('--json', 'print what was removed as JSON')
    .addHelpText('after', '\nExample:\n  tandem release -c /etc/tandem/tandem.yaml')
    .action(async (options: { config: string; node?: string; json?: boolean }) => {
      const removed = await releaseConfigured({
        configPath: options.config,
        node: options.node ?? process.env.TANDEM_NODE,
        hostname: hostname(),
        environment: process.env,
      });
      if (options.json === true) {
        console.log(JSON.stringify({ removed }, null, 2));
        return;
      }
      if (removed.length === 0) console.log('no virtual IP was left behind');
      for (const address of removed) {
        console.log(`removed ${formatIpPrefix(address.prefix)} from ${address.interface}`);
      }
    });
}
