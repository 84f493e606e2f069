/** The paths that commands use when the command line names none. */

/** Where the agent's configuration lies. */
export const defaultConfigPath = '/etc/tandem/tandem.yaml';

/** Where a running agent listens, unless `api.socket` or TANDEM_API_SOCKET says otherwise. */
export function defaultSocketPath(environment: NodeJS.ProcessEnv): string {
  return environment.TANDEM_API_SOCKET ?? '/run/tandem/tandem.sock';
}
