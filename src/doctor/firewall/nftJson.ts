/** Reads what `nft --json list ruleset` prints (libnftables-json(5)). Pure. */
import type { IpFamily } from '../../wire/ipAddress.js';
import type { ChainFact, FirewallHook, RuleCondition, RuleFact, RuleVerdict } from './model.js';
import { type NftValue, nftConditions, record } from './nftMatch.js';

/** Families that hold packets of IP; `arp`, `bridge` and `netdev` are elsewhere. */
const familiesOf: Readonly<Record<string, readonly IpFamily[]>> = {
  ip: [4],
  ip6: [6],
  inet: [4, 6],
};

const hooks: readonly string[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

/** Statements after which the rest of the rule counts. */
const passingStatements = new Set([
  'counter',
  'log',
  'mangle',
  'notrack',
  'ct helper',
  'ct timeout',
  'flow',
  'meter',
  'set',
  'map',
  'quota',
]);

const acceptingStatements = new Set(['accept', 'masquerade', 'snat', 'dnat', 'redirect']);

/**
 * Reads chains and rules. `listing` is the same rule set as text with handles, which is what an
 * operator sees of a rule. Input that is no rule set gives no chains.
 */
export function parseNftables(json: string, listing: string): ChainFact[] {
  const texts = ruleTexts(listing);
  const chains = new Map<string, ChainFact & { readonly rules: RuleFact[] }>();
  for (const entry of readEntries(json)) {
    const chain = record(entry.chain);
    const rule = record(entry.rule);
    if (chain !== undefined) {
      const fact = readChain(chain);
      if (fact !== undefined) chains.set(`${fact.table} ${fact.name}`, fact);
    } else if (rule !== undefined) {
      const table = `${rule.family} ${rule.table}`;
      const text = texts.get(`${table} ${rule.handle}`) ?? `handle ${rule.handle}`;
      chains.get(`${table} ${rule.chain}`)?.rules.push(...readRule(rule.expr, text));
    }
  }
  return [...chains.values()];
}

function readEntries(json: string): readonly Readonly<Record<string, NftValue>>[] {
  let document: NftValue;
  try {
    document = JSON.parse(json) as NftValue;
  } catch {
    return [];
  }
  const list = record(document)?.nftables;
  if (!Array.isArray(list)) return [];
  return list.map((entry: NftValue) => record(entry)).filter((entry) => entry !== undefined);
}

function readChain(chain: Readonly<Record<string, NftValue>>) {
  const families = familiesOf[String(chain.family)];
  if (families === undefined) return undefined;
  const { hook, prio, policy } = chain;
  const base =
    typeof hook === 'string' && hooks.includes(hook)
      ? {
          hook: hook as FirewallHook,
          priority: typeof prio === 'number' ? prio : 0,
          policy: policy === 'drop' ? ('drop' as const) : ('accept' as const),
        }
      : undefined;
  return {
    program: 'nftables',
    table: `${chain.family} ${chain.table}`,
    name: String(chain.name),
    families,
    ...(base === undefined ? {} : { base }),
    rules: [] as RuleFact[],
  };
}

/** A rule with a map of verdicts is as many rules as the map has entries. */
function readRule(expressions: NftValue | undefined, text: string): readonly RuleFact[] {
  const conditions: RuleCondition[] = [];
  let packets: number | undefined;
  const fact = (verdict: RuleVerdict, more: readonly RuleCondition[] = []): RuleFact => ({
    text,
    conditions: [...conditions, ...more],
    verdict,
    ...(packets === undefined ? {} : { packets }),
  });
  for (const expression of Array.isArray(expressions) ? expressions : []) {
    const [name, value] = Object.entries(record(expression) ?? {})[0] ?? ['', null];
    if (name === 'match') conditions.push(...nftConditions(record(value) ?? {}));
    else if (name === 'counter') packets = numberOf(record(value)?.packets);
    else if (name === 'vmap') return readVerdictMap(record(value) ?? {}, fact);
    else {
      const verdict = readVerdict(name, value);
      if (verdict !== undefined) return [fact(verdict)];
      if (!passingStatements.has(name)) conditions.push({ negated: false, kind: 'unknown' });
    }
  }
  return [fact({ kind: 'continue' })];
}

function readVerdictMap(
  map: Readonly<Record<string, NftValue>>,
  fact: (verdict: RuleVerdict, more?: readonly RuleCondition[]) => RuleFact,
): readonly RuleFact[] {
  const entries = record(map.data)?.set;
  const left = map.key;
  if (!Array.isArray(entries) || left === undefined) {
    return [fact({ kind: 'unknown' })];
  }
  return entries.flatMap((entry) => {
    if (!Array.isArray(entry)) return [];
    const [right = null, target = null] = entry;
    const [name, value] = Object.entries(record(target) ?? {})[0] ?? ['', null];
    const verdict = readVerdict(name, value) ?? { kind: 'unknown' as const };
    return [fact(verdict, nftConditions({ op: '==', left, right }))];
  });
}

/** `undefined` for a statement that is no verdict. */
function readVerdict(name: string, value: NftValue): RuleVerdict | undefined {
  if (acceptingStatements.has(name)) return { kind: 'accept' };
  if (name === 'drop' || name === 'reject') return { kind: 'drop' };
  if (name === 'return') return { kind: 'return' };
  if (name === 'continue') return { kind: 'continue' };
  if (name === 'xt') return record(value)?.type === 'target' ? { kind: 'unknown' } : undefined;
  if (name === 'queue' || name === 'synproxy' || name === 'tproxy') return { kind: 'unknown' };
  if (name !== 'jump' && name !== 'goto') return undefined;
  return { kind: name, chain: String(record(value)?.target) };
}

function numberOf(value: NftValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The text of each rule by its table and handle. */
function ruleTexts(listing: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  let table = '';
  for (const line of listing.split('\n')) {
    const opened = /^table (\S+ \S+) \{/.exec(line);
    if (opened !== null) table = opened[1] ?? '';
    const rule = /^\s+(.*\S) # handle (\d+)$/.exec(line);
    if (rule !== null) texts.set(`${table} ${rule[2]}`, rule[1] ?? '');
  }
  return texts;
}
