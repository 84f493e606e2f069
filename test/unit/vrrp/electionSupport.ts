/** A node with several virtual routers, walked through turns by hand. */
import {
  type ElectionCommand,
  type ElectionState,
  emptyElection,
  nextDeadlineUs,
  noInputs,
  runTurn,
  type TurnEffects,
} from '../../../src/vrrp/election.js';
import type { VirtualRouterSpec, VrrpConfiguration } from '../../../src/vrrp/protocol.js';
import type { VirtualRouterState } from '../../../src/vrrp/reasons.js';
import { planReconfiguration, type RouterKey } from '../../../src/vrrp/reconfiguration.js';
import { type IpAddress, ipAddress } from '../../../src/wire/ipAddress.js';
import { makeSpec, startUs, virtualAddress } from './support.js';

/** The usual pair of routers: clients on eth0, real servers on eth1. */
export function edgeRouters(
  changes: Partial<VirtualRouterSpec> = {},
): readonly VirtualRouterSpec[] {
  return [
    makeSpec({ name: 'outside', vrid: 51, interface: 'eth0', ...changes }),
    makeSpec({
      name: 'inside',
      vrid: 52,
      interface: 'eth1',
      addresses: [virtualAddress('192.168.0.100/24', 'eth1')],
      ...changes,
    }),
  ];
}

/** Both routers in one sync group. */
export function edgeGroup(changes: Partial<VirtualRouterSpec> = {}): VrrpConfiguration {
  const syncGroups = [{ name: 'edge', members: ['outside', 'inside'] }];
  return { routers: edgeRouters(changes), syncGroups };
}

export const outside: RouterKey = 'eth0/51';
export const inside: RouterKey = 'eth1/52';

const sources: ReadonlyMap<string, IpAddress> = new Map([
  ['eth0', ipAddress('192.0.2.2')],
  ['eth1', ipAddress('192.168.0.2')],
]);

/** One node in the making. */
export class NodeWalk {
  state: ElectionState = emptyElection;
  nowUs = startUs;
  effects: TurnEffects | undefined;
  #configuration: VrrpConfiguration = { routers: [], syncGroups: [] };
  readonly #sources = new Map(sources);

  static configured(configuration: VrrpConfiguration): NodeWalk {
    return new NodeWalk().configure(configuration);
  }

  configure(configuration: VrrpConfiguration): this {
    const plan = planReconfiguration(this.#configuration.routers, configuration);
    this.#configuration = configuration;
    return this.command({ type: 'reconfigure', plan, addresses: this.#sources });
  }

  command(command: ElectionCommand): this {
    return this.#turn({ ...noInputs, commands: [command] });
  }

  /** An interface goes away (no address) or comes back. */
  interface(name: string, usable: boolean): this {
    const address = usable ? sources.get(name) : undefined;
    if (address === undefined) this.#sources.delete(name);
    else this.#sources.set(name, address);
    return this.#turn({ ...noInputs, interfaces: new Map([[name, address]]) });
  }

  hear(router: RouterKey, priority: number, source = '203.0.113.1', advertIntervalCs = 100): this {
    const advertisement = {
      vrid: Number(router.split('/')[1]),
      priority,
      advertIntervalCs,
      addresses: [],
    };
    const heard = { router, source: ipAddress(source), advertisement, receivedUs: this.nowUs };
    return this.#turn({ ...noInputs, advertisements: [heard] });
  }

  pass(us: number): this {
    this.nowUs += us;
    return this;
  }

  /** Goes to the next deadline and runs what is due there. */
  runNext(): this {
    this.nowUs = nextDeadlineUs(this.state) ?? this.nowUs;
    return this.#turn(noInputs);
  }

  /** Runs whatever is due within a time. */
  runFor(us: number): this {
    const endUs = this.nowUs + us;
    for (
      let deadline = nextDeadlineUs(this.state);
      deadline !== undefined && deadline <= endUs;
      deadline = nextDeadlineUs(this.state)
    ) {
      this.runNext();
    }
    this.nowUs = endUs;
    return this;
  }

  stateOf(router: RouterKey): VirtualRouterState | undefined {
    return this.state.routers.get(router)?.current;
  }

  /** States of both routers of the pair. */
  get states(): readonly (VirtualRouterState | undefined)[] {
    return [this.stateOf(outside), this.stateOf(inside)];
  }

  /** Advertisements of the last turn: `outside 100`. */
  get advertised(): readonly string[] {
    return (this.effects?.advertisements ?? []).map(
      ({ spec, priority }) => `${spec.name} ${priority}`,
    );
  }

  /** Transitions of the last turn: `outside active: sync-group`. */
  get transitions(): readonly string[] {
    return (this.effects?.transitions ?? []).map(
      ({ spec, to, reason }) => `${spec.name} ${to}: ${reason}`,
    );
  }

  #turn(inputs: Parameters<typeof runTurn>[1]): this {
    const { state, effects } = runTurn(this.state, inputs, this.nowUs);
    this.state = state;
    this.effects = effects;
    return this;
  }
}
