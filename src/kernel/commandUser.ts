/** Who the commands of the operator run as, and with what environment. */
import { findUser, type ProcessUser } from './userDatabase.js';

/** Whom scripts run as when the agent is root and they name nobody: a check seldom needs more. */
export const defaultUser = 'nobody';

/** Where programs look for other programs. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment of every command of the operator, which inherits nothing from the agent. */
export const commandEnvironment: Readonly<Record<string, string>> = { PATH: path, LANG: 'C.UTF-8' };

/**
 * Who a command runs as: the user configured, else the given one when this process is root, else
 * whoever this process is. Throws `USER_UNKNOWN`.
 */
export function commandUser(
  configured: string | undefined,
  otherwise: string | undefined,
): ProcessUser | undefined {
  if (configured !== undefined) return findUser(configured);
  return otherwise === undefined || process.getuid?.() !== 0 ? undefined : findUser(otherwise);
}
