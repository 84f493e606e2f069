/** What the rules of a firewall give a mark to, as far as their text tells. Pure. */
import {
  bitsOf,
  familyOf,
  type IpAddress,
  type IpFamily,
  type IpPrefix,
} from '../wire/ipAddress.js';
import { protocolNumbers } from '../wire/ipvsAttributes.js';
import type { IpvsProtocol } from '../wire/ipvsModel.js';
import type { ChainFact, NumberRange, RuleCondition, RuleFact } from './firewall/model.js';

/** One address that gets a mark, and what of it. */
export interface MarkedTarget {
  readonly address: IpAddress;
  /** Absent: any. */
  readonly protocol?: IpvsProtocol;
  /** Absent: any. */
  readonly port?: number;
}

/** Whether a rule sets a mark. Marks are written in hexadecimal, or as they were given. */
export function setsMark({ text }: RuleFact, mark: number): boolean {
  const numbers = text.matchAll(/(?:mark set|--set-x?mark|--or-mark) (0x[0-9a-f]+|\d+)/gi);
  return [...numbers].some(([, number]) => Number(number) === mark);
}

/** The addresses of a family that rules give a mark to, with the first port of each range. */
export function markedTargets(
  chains: readonly ChainFact[],
  mark: number,
  family: IpFamily,
): readonly MarkedTarget[] {
  return chains
    .flatMap((chain) => chain.rules)
    .filter((rule) => setsMark(rule, mark))
    .flatMap(({ conditions }) => targetsOf(conditions, family));
}

function targetsOf(
  conditions: readonly RuleCondition[],
  family: IpFamily,
): readonly MarkedTarget[] {
  const prefixes: IpPrefix[] = [];
  let ports: readonly NumberRange[] = [];
  let protocol: IpvsProtocol | undefined;
  for (const condition of conditions) {
    if (condition.negated) continue;
    if (condition.kind === 'destination') prefixes.push(...condition.prefixes);
    else if (condition.kind === 'destination-port') ports = condition.ports;
    else if (condition.kind === 'protocol') protocol = protocolNamed(condition.protocols[0]);
  }
  return prefixes
    .filter(({ address, length }) => familyOf(address) === family && length === bitsOf(family))
    .flatMap(({ address }) => {
      const target = { address, ...(protocol === undefined ? {} : { protocol }) };
      return ports.length === 0
        ? [target]
        : ports.map(({ first }): MarkedTarget => ({ ...target, port: first }));
    });
}

function protocolNamed(number: number | undefined): IpvsProtocol | undefined {
  return (['tcp', 'udp', 'sctp'] as const).find((name) => protocolNumbers[name] === number);
}
