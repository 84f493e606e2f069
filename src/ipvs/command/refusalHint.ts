/** What somebody at the command line can do about a refusal of the kernel. Pure. */
import type { IpvsCommand } from './model.js';

/** The options that do what was meant, by what was asked for and the errno that came back. */
const hints: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'add-service': { EEXIST: 'Change it with -E, or list it with -L.' },
  'edit-service': { ESRCH: 'Add it with -A; -Ln lists the services there are.' },
  'delete-service': { ESRCH: '-Ln lists the services there are.' },
  'add-server': {
    EEXIST: 'Change it with -e.',
    ESRCH: 'Add the service first with -A; -Ln lists those there are.',
  },
  'edit-server': {
    ENOENT: 'Add it with -a; -Ln lists the servers there are.',
    ESRCH: '-Ln lists the services there are.',
  },
  'delete-server': {
    ENOENT: '-Ln lists the servers there are.',
    ESRCH: '-Ln lists the services there are.',
  },
  'start-daemon': {
    EEXIST: 'Stop it first with --stop-daemon; -L --daemon shows it.',
    ENODEV: '--mcast-interface names the interface, eth0 unless given; `ip link` lists them.',
  },
  zero: { ESRCH: '-Ln lists the services there are.' },
};

/** The hint for a command that the kernel refused; `undefined` when the error's own is better. */
export function refusalHint(
  command: IpvsCommand,
  errnoName: string | undefined,
): string | undefined {
  const kind = command.kind === 'change' ? command.operation.kind : command.kind;
  return errnoName === undefined ? undefined : hints[kind]?.[errnoName];
}
