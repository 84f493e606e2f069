/** What a running agent owns of the table, so that nobody changes what it would change back. */
import { existsSync } from 'node:fs';
import { TandemError } from '../../errors.js';
import type { IpvsOperation } from '../../wire/ipvsModel.js';
import { formatServiceIdentity } from '../../wire/ipvsText.js';
import type { ServiceKey } from '../table.js';
import type { IpvsCommand } from './model.js';
import { serviceOf } from './restorePlan.js';

/** What belongs to the agent that runs on this machine. */
export interface AgentOwnership {
  readonly socketPath: string;
  /** The name in the configuration of each service. */
  readonly services: ReadonlyMap<ServiceKey, string>;
  /** Whether the kernel's sync daemons are the agent's. */
  readonly syncDaemons: boolean;
}

/** How long the agent may take to answer. */
const answerTimeoutMs = 3_000;

/**
 * Asks the agent at a socket; `undefined` when none runs, which costs one look at the file system.
 * Throws {@link TandemError} AGENT_REFUSED when one is there that does not answer.
 */
export async function askOwnership(socketPath: string): Promise<AgentOwnership | undefined> {
  if (!existsSync(socketPath)) return undefined;
  const { fetchStatus } = await import('../../api/client.js');
  try {
    const status = await fetchStatus(socketPath, answerTimeoutMs);
    return {
      socketPath,
      services: new Map(
        status.services.flatMap(({ name, listeners }) =>
          listeners.map((listener) => [listener, name] as const),
        ),
      ),
      syncDaemons: status.connectionSync.mode !== 'off',
    };
  } catch (error) {
    if (isNobodyThere(error)) return undefined;
    throw new TandemError('AGENT_REFUSED', `${socketPath}: the agent does not say what it owns`, {
      cause: error,
      hint: 'Look at the agent with `tandem status`, or change the table all the same: --force.',
    });
  }
}

/** The refusal of a command that changes what the agent owns; `undefined` when it does not. */
export function ownedChange(command: IpvsCommand, owner: AgentOwnership): TandemError | undefined {
  switch (command.kind) {
    case 'change':
      return ownedOperations([command.operation], owner);
    case 'clear': {
      const [first] = owner.services;
      if (first === undefined) return undefined;
      const others = owner.services.size - 1;
      return owned(others === 0 ? first[0] : `${first[0]} and ${others} more services`, owner);
    }
    case 'start-daemon':
    case 'stop-daemon':
      return owner.syncDaemons ? owned('the sync daemons', owner) : undefined;
    default:
      return undefined;
  }
}

/** The same for a list of changes. */
export function ownedOperations(
  operations: readonly IpvsOperation[],
  owner: AgentOwnership,
): TandemError | undefined {
  for (const operation of operations) {
    const key = formatServiceIdentity(serviceOf(operation));
    const name = owner.services.get(key);
    if (name !== undefined) return owned(`${key} (service ${name} of its configuration)`, owner);
  }
  return undefined;
}

function owned(what: string, owner: AgentOwnership): TandemError {
  return new TandemError(
    'AGENT_REFUSED',
    `the agent at ${owner.socketPath} owns ${what} and would undo the change`,
    {
      hint: 'Change the configuration and `tandem reload`, or insist with --force.',
    },
  );
}

function isNobodyThere(error: unknown): boolean {
  if (!(error instanceof TandemError) || error.code !== 'AGENT_NOT_RUNNING') return false;
  const code = (error.cause as { readonly code?: unknown } | undefined)?.code;
  return code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK';
}
