/** The agent probe: asks HAProxy's agent on a server what it thinks of the server. */
import { formatEndpoint } from '../../wire/ipAddress.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import {
  type AgentMemory,
  agentOutcome,
  parseAgentReply,
  rememberReply,
  silentAgent,
} from './agentReply.js';
import { converse } from './peer.js';
import { failed, inconclusive, type Probe, type ProbeOutcome } from './probe.js';

/** Agents that are remembered; the one that was heard longest ago goes first. */
const agentsMax = 65_536;

/** What each agent has said: `up` alone does not take back the `50%` of before. */
const memories = new Map<string, AgentMemory>();

/** Connects, says what the check wants said, and takes the line that comes. */
export const probeAgent: Probe<ProbeSpecOf<'agent'>> = async (target, spec, signal) => {
  const agent = formatEndpoint(target.address, target.port);
  const outcome = await converse(target, { origin: spec.origin }, signal, async (peer) => {
    if (spec.sendBase64 !== undefined) peer.write(Buffer.from(spec.sendBase64, 'base64'));
    // Like HAProxy: an agent may close instead of ending its line.
    const bytes = await peer.takeToEnd('a line of the agent', (received) => {
      const end = received.findIndex((byte) => byte === 0x0a || byte === 0x0d || byte === 0);
      return end < 0 ? undefined : end;
    });
    const line = bytes.toString('latin1').trim();
    const reply = parseAgentReply(line);
    if (reply === undefined) return failed('malformed-response', `no words of an agent: "${line}"`);
    const memory = rememberReply(memories.get(agent) ?? silentAgent, reply);
    remember(agent, memory);
    return agentOutcome(memory, line);
  });
  return isSilence(outcome) && spec.whenSilent === 'ignore'
    ? inconclusive('agent-silent', `${outcome.reason}: ${outcome.detail}`)
    : outcome;
};

/** Forgets what agents have said; for tests. */
export function forgetAgents(): void {
  memories.clear();
}

/** Whether a failure is one of asking, and not what the agent said. */
function isSilence(outcome: ProbeOutcome): boolean {
  if (outcome.result !== 'failed') return false;
  return outcome.reason !== 'reported-down' && outcome.reason !== 'reported-maintenance';
}

function remember(agent: string, memory: AgentMemory): void {
  memories.delete(agent);
  memories.set(agent, memory);
  const [oldest] = memories.keys();
  if (memories.size > agentsMax && oldest !== undefined) memories.delete(oldest);
}
