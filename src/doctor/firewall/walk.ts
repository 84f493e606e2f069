/**
 * Leads a packet through the rules of a firewall and tells where it certainly ends. Pure.
 *
 * A rule that nobody can judge from outside (a rate limit, a set, an address that is not known)
 * makes the walk unsure, and an unsure walk finds nothing: a finding is shown, not guessed.
 */
import { prefixContains } from '../../wire/ipAddress.js';
import type {
  ChainFact,
  FirewallHook,
  NumberRange,
  RuleCondition,
  RuleFact,
  WalkedPacket,
} from './model.js';

/** The place where a packet ends. */
export interface PacketEnd {
  readonly chain: ChainFact;
  /** Absent: the policy of the chain. */
  readonly rule?: RuleFact;
}

type Match = 'yes' | 'no' | 'unsure';

type Outcome =
  | { readonly kind: 'accept' | 'unsure' | 'end-of-chain' }
  | { readonly kind: 'drop'; readonly end: PacketEnd };

/** Chains may be nested this deep; a loop, which the kernel refuses, ends there as well. */
const depthMax = 32;

/** Where a packet certainly ends at one of some hooks; `undefined` when it may pass all of them. */
export function certainEnd(
  chains: readonly ChainFact[],
  hooks: readonly FirewallHook[],
  packet: WalkedPacket,
): PacketEnd | undefined {
  for (const hook of hooks) {
    const bases = chains
      .filter(({ base, families }) => base?.hook === hook && families.includes(packet.family))
      .sort((left, right) => (left.base?.priority ?? 0) - (right.base?.priority ?? 0));
    for (const chain of bases) {
      // What one chain accepts the next one may still drop.
      const outcome = walkChain(chains, chain, packet, 0);
      if (outcome.kind === 'drop') return outcome.end;
      if (outcome.kind === 'end-of-chain' && chain.base?.policy === 'drop') return { chain };
    }
  }
  return undefined;
}

/** Where an end is, as an operator finds it: `rule "-A FORWARD -j DROP" of iptables filter`. */
export function describeEnd({ chain, rule }: PacketEnd): string {
  const place = `${chain.program} table ${chain.table}, chain ${chain.name}`;
  if (rule === undefined) {
    return `the policy DROP of ${place}${packetsText(chain.base?.policyPackets)}`;
  }
  return `the rule "${rule.text}" of ${place}${packetsText(rule.packets)}`;
}

function packetsText(packets: number | undefined): string {
  if (packets === undefined) return '';
  return ` (${packets} ${packets === 1 ? 'packet' : 'packets'} so far)`;
}

function walkChain(
  chains: readonly ChainFact[],
  chain: ChainFact,
  packet: WalkedPacket,
  depth: number,
): Outcome {
  if (depth > depthMax) return { kind: 'unsure' };
  // Set when the packet may have been let through before: a later drop is not certain then.
  let doubt = false;
  const ended = (outcome: Outcome): Outcome => (doubt ? { kind: 'unsure' } : outcome);
  for (const rule of chain.rules) {
    const match = matchAll(rule.conditions, packet);
    if (match === 'no') continue;
    const outcome = outcomeOf(chains, chain, rule, packet, depth);
    if (match === 'unsure') {
      doubt ||= mayEscape(rule, outcome);
      continue;
    }
    switch (outcome.kind) {
      case 'accept':
        return outcome;
      case 'drop':
        return ended(outcome);
      case 'unsure':
        doubt = true;
        break;
      case 'end-of-chain':
        if (rule.verdict.kind === 'return' || rule.verdict.kind === 'goto') return ended(outcome);
    }
  }
  return ended({ kind: 'end-of-chain' });
}

/** What a rule does to a packet that it matches. */
function outcomeOf(
  chains: readonly ChainFact[],
  chain: ChainFact,
  rule: RuleFact,
  packet: WalkedPacket,
  depth: number,
): Outcome {
  const { verdict } = rule;
  switch (verdict.kind) {
    case 'accept':
      return { kind: 'accept' };
    case 'drop':
      return { kind: 'drop', end: { chain, rule } };
    case 'continue':
    case 'return':
      return { kind: 'end-of-chain' };
    case 'unknown':
      return { kind: 'unsure' };
    case 'jump':
    case 'goto': {
      const target = chains.find(
        ({ program, table, name }) =>
          program === chain.program && table === chain.table && name === verdict.chain,
      );
      return target === undefined
        ? { kind: 'unsure' }
        : walkChain(chains, target, packet, depth + 1);
    }
  }
}

/** Whether a packet that a rule may match might be let through, or past later rules, by it. */
function mayEscape(rule: RuleFact, outcome: Outcome): boolean {
  if (outcome.kind === 'accept' || outcome.kind === 'unsure') return true;
  return rule.verdict.kind === 'return' || rule.verdict.kind === 'goto';
}

function matchAll(conditions: readonly RuleCondition[], packet: WalkedPacket): Match {
  let result: Match = 'yes';
  for (const condition of conditions) {
    const match = negate(condition.negated, matchOne(condition, packet));
    if (match === 'no') return 'no';
    if (match === 'unsure') result = 'unsure';
  }
  return result;
}

function negate(negated: boolean, match: Match): Match {
  if (!negated || match === 'unsure') return match;
  return match === 'yes' ? 'no' : 'yes';
}

function matchOne(condition: RuleCondition, packet: WalkedPacket): Match {
  switch (condition.kind) {
    case 'family':
      return certain(condition.families.includes(packet.family));
    case 'protocol':
      return certain(condition.protocols.includes(packet.protocol));
    case 'source':
    case 'destination': {
      if (condition.prefixes.some(({ length }) => length === 0)) return 'yes';
      const address = packet[condition.kind];
      if (address === undefined) return 'unsure';
      return certain(condition.prefixes.some((prefix) => prefixContains(prefix, address)));
    }
    case 'source-port':
      return matchPort(condition.ports, packet.sourcePort);
    case 'destination-port':
      return matchPort(condition.ports, packet.destinationPort);
    case 'in-interface':
      return matchName(condition.names, packet.inInterface);
    case 'out-interface':
      return matchName(condition.names, packet.outInterface);
    case 'state':
      return certain(condition.states.includes(packet.state));
    case 'unknown':
      return 'unsure';
  }
}

function certain(holds: boolean): Match {
  return holds ? 'yes' : 'no';
}

function matchPort(ports: readonly NumberRange[], port: number | undefined): Match {
  if (port === undefined) return 'unsure';
  return certain(ports.some(({ first, last }) => first <= port && port <= last));
}

function matchName(names: readonly string[], name: string | undefined): Match {
  if (name === undefined) return 'unsure';
  return certain(
    names.some((pattern) =>
      /[+*]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    ),
  );
}
