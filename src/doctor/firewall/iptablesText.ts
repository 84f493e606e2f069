/** Reads what `iptables-save --counters` prints. Pure. */
import { type IpFamily, parseIpPrefix } from '../../wire/ipAddress.js';
import type {
  ChainFact,
  FirewallHook,
  NumberRange,
  RuleCondition,
  RuleFact,
  RuleVerdict,
  TrackingState,
} from './model.js';
import { protocolNumber } from './protocols.js';

/** The chains of the system, and where the tables stand at a hook (netfilter_ipv4.h). */
const hookOfChain: Readonly<Record<string, FirewallHook>> = {
  PREROUTING: 'prerouting',
  INPUT: 'input',
  FORWARD: 'forward',
  OUTPUT: 'output',
  POSTROUTING: 'postrouting',
};
const tablePriorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};

/** Targets after which the next rule is looked at. */
const passingTargets = new Set(
  (
    'MARK CONNMARK LOG NFLOG ULOG TCPMSS TOS DSCP TTL HL CLASSIFY CT NOTRACK SET CHECKSUM TEE ' +
    'AUDIT RATEEST TRACE SECMARK CONNSECMARK ECN'
  ).split(' '),
);

/** Targets of the nat table that end its walk and let the packet on. */
const translatingTargets = new Set('DNAT SNAT MASQUERADE REDIRECT NETMAP'.split(' '));

/** Reads the output of one program for one family; lines that are no rules are passed over. */
export function parseIptables(program: string, family: IpFamily, text: string): ChainFact[] {
  const chains = new Map<string, ChainFact & { readonly rules: RuleFact[] }>();
  let table = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim();
    else if (line.startsWith(':')) {
      const chain = readChain(program, family, table, line);
      chains.set(`${table} ${chain.name}`, chain);
    } else {
      const rule = readRule(line);
      if (rule !== undefined) chains.get(`${table} ${rule.chain}`)?.rules.push(rule.fact);
    }
  }
  return [...chains.values()];
}

function readChain(program: string, family: IpFamily, table: string, line: string) {
  const [name = '', policy = '-', counters = ''] = line.slice(1).split(' ');
  const hook = hookOfChain[name];
  const packets = /^\[(\d+):/.exec(counters)?.[1];
  const base =
    hook === undefined || policy === '-'
      ? undefined
      : {
          hook,
          priority: tablePriorities[table] ?? 0,
          policy: policy === 'DROP' ? ('drop' as const) : ('accept' as const),
          ...(packets === undefined ? {} : { policyPackets: Number(packets) }),
        };
  return {
    program,
    table,
    name,
    families: [family],
    ...(base === undefined ? {} : { base }),
    rules: [] as RuleFact[],
  };
}

function readRule(line: string) {
  const parts = /^(?:\[(\d+):\d+\] )?(-A (\S+).*)$/.exec(line);
  if (parts === null) return undefined;
  const [, packets, text = '', chain = ''] = parts;
  const { conditions, verdict } = readWords(splitWords(text).slice(2));
  const counted = packets === undefined ? {} : { packets: Number(packets) };
  return { chain, fact: { text, conditions, verdict, ...counted } satisfies RuleFact };
}

function readWords(words: readonly string[]) {
  const conditions: RuleCondition[] = [];
  let negated = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === '!') {
      negated = true;
      continue;
    }
    if (word === '-j' || word === '-g') {
      // iptables-save puts the target last; what follows are its own options.
      return { conditions, verdict: readTarget(word, words[at + 1] ?? '') };
    }
    const values: string[] = [];
    while (at + 1 < words.length && !/^(?:-\D|--|!$)/.test(words[at + 1] ?? '')) {
      at += 1;
      values.push(words[at] ?? '');
    }
    const condition = readOption(word, values, negated);
    if (condition !== undefined) conditions.push(condition);
    negated = false;
  }
  return { conditions, verdict: { kind: 'continue' } satisfies RuleVerdict };
}

function readTarget(option: string, target: string): RuleVerdict {
  if (option === '-g') return { kind: 'goto', chain: target };
  if (target === 'ACCEPT' || translatingTargets.has(target)) return { kind: 'accept' };
  if (target === 'DROP' || target === 'REJECT') return { kind: 'drop' };
  if (target === 'RETURN') return { kind: 'return' };
  if (passingTargets.has(target)) return { kind: 'continue' };
  if (target === 'NFQUEUE' || target === 'QUEUE' || target === 'SYNPROXY') {
    return { kind: 'unknown' };
  }
  return { kind: 'jump', chain: target };
}

/** `undefined` for an option that decides nothing. */
function readOption(
  option: string,
  values: readonly string[],
  negated: boolean,
): RuleCondition | undefined {
  const [value = ''] = values;
  const unknown: RuleCondition = { negated, kind: 'unknown' };
  switch (option) {
    case '-m':
    case '--comment':
      return undefined;
    case '-p': {
      if (value === 'all') return undefined;
      const number = protocolNumber(value);
      return number === undefined ? unknown : { negated, kind: 'protocol', protocols: [number] };
    }
    case '-s':
    case '-d': {
      const prefix = parseIpPrefix(value);
      if (prefix === undefined) return unknown;
      return { negated, kind: option === '-s' ? 'source' : 'destination', prefixes: [prefix] };
    }
    case '-i':
      return { negated, kind: 'in-interface', names: [value] };
    case '-o':
      return { negated, kind: 'out-interface', names: [value] };
    case '--sport':
    case '--sports':
    case '--dport':
    case '--dports': {
      const ports = readPorts(value);
      const kind = option.startsWith('--s') ? 'source-port' : 'destination-port';
      return ports === undefined ? unknown : { negated, kind, ports };
    }
    case '--state':
    case '--ctstate': {
      const states = value.toLowerCase().split(',');
      return states.every(isTrackingState) ? { negated, kind: 'state', states } : unknown;
    }
    default:
      return unknown;
  }
}

function readPorts(text: string): readonly NumberRange[] | undefined {
  const ranges = text.split(',').map((part) => {
    const [first = '', last = first] = part.split(':');
    return { first: Number(first), last: last === '' ? 0xffff : Number(last) };
  });
  return ranges.some(({ first, last }) => !(first <= last)) ? undefined : ranges;
}

/** Whether a word names a state of connection tracking. */
export function isTrackingState(word: string): word is TrackingState {
  return ['new', 'established', 'related', 'invalid', 'untracked'].includes(word);
}

/** Words as a shell reads them, as far as iptables-save quotes. */
function splitWords(text: string): string[] {
  return Array.from(text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g), ([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1'),
  );
}
