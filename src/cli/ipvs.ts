/** `tandem ipvs`: ipvsadm, also under the names of ipvsadm and its two companions. */
import { Command } from 'commander';
import { runIpvsCommandLine } from './ipvsProcess.js';

/** For the list of commands; the grammar is ipvsadm's own and not commander's. */
export function ipvsCommand(): Command {
  return new Command('ipvs')
    .description('Show and change the IPVS table: every command and option of ipvsadm.')
    .argument('[words...]')
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .addHelpText('after', '\nExample:\n  tandem ipvs -Ln --stats')
    .action(async (words: readonly string[]) => runIpvsCommandLine('tandem ipvs', words));
}
