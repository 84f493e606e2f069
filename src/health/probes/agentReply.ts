/**
 * HAProxy's agent protocol as its manual has it (configuration manual, `agent-check`): one line of
 * words. Pure.
 */
import { failed, type ProbeOutcome, passed } from './probe.js';

/** What one line said; absent parts were not mentioned and stay as they were. */
export interface AgentReply {
  readonly weightPercent?: number;
  readonly connectionsMax?: number;
  readonly admin?: 'ready' | 'drain' | 'maint';
  readonly operational?: 'up' | 'down';
  /** The text behind a `#`. */
  readonly description?: string;
}

/** What the agent of one server has said so far. */
export interface AgentMemory {
  readonly weightPercent: number | undefined;
  /** 0: as many as are configured. */
  readonly connectionsMax: number;
  readonly admin: 'ready' | 'drain' | 'maint';
  readonly operational: 'up' | 'down';
  readonly description: string;
}

/** Before an agent has said anything. */
export const silentAgent: AgentMemory = {
  weightPercent: undefined,
  connectionsMax: 0,
  admin: 'ready',
  operational: 'up',
  description: '',
};

const adminWords: ReadonlyMap<string, 'ready' | 'drain' | 'maint'> = new Map([
  ['ready', 'ready'],
  ['drain', 'drain'],
  ['maint', 'maint'],
]);

const operationalWords: ReadonlyMap<string, 'up' | 'down'> = new Map([
  ['up', 'up'],
  ['down', 'down'],
  ['fail', 'down'],
  ['failed', 'down'],
  ['stopped', 'down'],
]);

/**
 * Reads the first line: words in any order between spaces, tabs and commas, in either case, up to a
 * `#`. `undefined` when it is empty or has a word that the protocol does not have.
 */
export function parseAgentReply(text: string): AgentReply | undefined {
  const [line = ''] = text.split(/[\r\n\0]/);
  const hash = line.indexOf('#');
  const words = (hash < 0 ? line : line.slice(0, hash)).toLowerCase().split(/[ \t,]+/);
  let reply: AgentReply = hash < 0 ? {} : { description: line.slice(hash + 1).trim() };
  let count = 0;
  for (const word of words) {
    if (word === '') continue;
    const part = parseWord(word);
    if (part === undefined) return undefined;
    reply = { ...reply, ...part };
    count += 1;
  }
  return count === 0 ? undefined : reply;
}

function parseWord(word: string): AgentReply | undefined {
  const percent = /^(\d{1,6})%$/.exec(word);
  // More than the whole is not for an agent to ask: a weight never goes above the configured one.
  if (percent !== null) return { weightPercent: Math.min(100, Number(percent[1])) };
  const connections = /^maxconn:(\d{1,9})$/.exec(word);
  if (connections !== null) return { connectionsMax: Number(connections[1]) };
  const admin = adminWords.get(word);
  if (admin !== undefined) return { admin };
  const operational = operationalWords.get(word);
  return operational === undefined ? undefined : { operational };
}

/** What is known after a line: a word changes its own part, and the others stay. */
export function rememberReply(memory: AgentMemory, reply: AgentReply): AgentMemory {
  const { weightPercent = memory.weightPercent, admin = memory.admin } = reply;
  const { operational = memory.operational, description = '' } = reply;
  const { connectionsMax = memory.connectionsMax } = reply;
  return { weightPercent, connectionsMax, admin, operational, description };
}

/** What a server is by what its agent has said. */
export function agentOutcome(memory: AgentMemory, line: string): ProbeOutcome {
  const { admin, operational, weightPercent, connectionsMax, description } = memory;
  const said = description === '' ? line : description;
  if (admin === 'maint') return failed('reported-maintenance', said);
  if (operational === 'down') return failed('reported-down', said);
  const outcome = passed(line, admin === 'drain' ? 0 : weightPercent);
  return connectionsMax === 0 ? outcome : { ...outcome, connectionsMax };
}
