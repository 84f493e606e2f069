/** What the agent answers when an operator takes servers out or asks how far they are. */
import type {
  NamedServerStatus,
  OverrideRequest,
  OverrideResult,
  ServersRequest,
  ServersResult,
} from '../api/overrideModel.js';
import { TandemError } from '../errors.js';
import { serverId } from '../ipvs/desired.js';
import { peerUserId } from '../kernel/socketOptions.js';
import { userName } from '../kernel/userDatabase.js';
import { userLengthMax } from '../wire/overrideModel.js';
import { type Balancer, templatesExpire } from './balancer.js';
import type { Overrides } from './overrides.js';

/** Carries out requests about single servers. */
export class Operating {
  readonly #overrides: Overrides;
  readonly #balancer: Balancer;

  constructor(overrides: Overrides, balancer: Balancer) {
    this.#overrides = overrides;
    this.#balancer = balancer;
  }

  /** Throws what the request was refused for. */
  async override(request: OverrideRequest, user: string): Promise<OverrideResult> {
    const message = await this.#overrides.apply(request, user);
    return { message, ...(await this.servers(request)) };
  }

  /** The servers that are meant, with what the kernel has of them. Throws `USAGE`. */
  async servers(request: ServersRequest): Promise<ServersResult> {
    const wanted = new Set(this.#overrides.select(request.server, request.all).map(({ id }) => id));
    await this.#balancer.refresh();
    const servers = this.#balancer.snapshot().services.flatMap((service) =>
      service.servers.flatMap((server): readonly NamedServerStatus[] => {
        const id = serverId(service.name, server);
        return wanted.has(id) ? [{ id, ...server }] : [];
      }),
    );
    return { servers, templatesExpire: templatesExpire() };
  }
}

/**
 * Who is at the other end of a connection. Of root it is believed who it says to be, because sudo
 * and su hide that from the kernel.
 */
export function callerName(descriptor: number | undefined, claimed: string): string {
  const userId = descriptor === undefined ? undefined : userIdOf(descriptor);
  if (userId === undefined) return claimed === '' ? 'unknown' : claimed;
  if (userId === 0 && claimed !== '') return claimed;
  return userName(userId).slice(0, userLengthMax);
}

function userIdOf(descriptor: number): number | undefined {
  try {
    return peerUserId(descriptor);
  } catch (error) {
    if (error instanceof TandemError) return undefined;
    throw error;
  }
}
