/** `tandem peer-key`: the pre-shared key by which the two directors know each other. */
import { Command } from 'commander';
import { newPeerKeyLine, writePeerKeyFile } from '../peer/key.js';

/** The command with its one subcommand. */
export function peerKeyCommand(): Command {
  const make = new Command('new')
    .description('Make a key. With --out it is written to a file that only its owner can read.')
    .option('--out <file>', 'a file that does not exist yet; otherwise the key is printed')
    .option('--id <id>', 'name the key, as a file with several keys needs it')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', '\nExample:\n  tandem peer-key new --out /etc/tandem/peer.key')
    .action((options: { out?: string; id?: string; json?: boolean }) => {
      const line = newPeerKeyLine(options.id);
      const asJson = options.json === true;
      if (options.out === undefined) {
        console.log(asJson ? JSON.stringify({ key: line }) : line);
        return;
      }
      writePeerKeyFile(options.out, line);
      // The key itself is not printed: it would end up in a log or a terminal's memory.
      if (asJson) console.log(JSON.stringify({ file: options.out }));
      else console.log(`wrote ${options.out}; copy it to the other director, with mode 0600`);
    });
  return new Command('peer-key')
    .description('Make the pre-shared key of the peer channel.')
    .addHelpText('after', '\nExample:\n  tandem peer-key new --out /etc/tandem/peer.key')
    .addCommand(make);
}
