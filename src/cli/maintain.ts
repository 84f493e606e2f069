/** `tandem maintain`: takes a server out of service at once, until it is put back. */
import { Argument, type Command } from 'commander';
import { type OverrideOptions, overrideAndPrint, serverCommand } from './overrideOptions.js';

/** The command. */
export function maintainCommand(): Command {
  return serverCommand('maintain', 'Take a server out of service, or put it back (off).')
    .addArgument(
      new Argument('[state]', 'whether it is in maintenance').choices(['on', 'off']).default('on'),
    )
    .addHelpText('after', help)
    .action((server: string, state: 'on' | 'off', options: OverrideOptions) =>
      overrideAndPrint(state === 'on' ? 'maintain' : 'unmaintain', server, options),
    );
}

const help = `
The same works without this command, by a file whose first line is the reason:
  echo 'new disks' > /run/tandem/maintenance/web@192.168.0.10:80
  touch /run/tandem/maintenance/192.168.0.10        all servers with this address

Example:
  tandem maintain 192.168.0.10 --all --reason 'new disks'
  tandem maintain 192.168.0.10 off --all`;
