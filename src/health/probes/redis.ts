/** The Redis probe: PING, after a login where the check has one. */
import { decodeReply, encodeCommand, type RedisReply } from '../../wire/redisReply.js';
import type { ProbeSpecOf } from '../probeSpec.js';
import { converse, type Peer } from './peer.js';
import { failed, type Probe, type ProbeOutcome, passed } from './probe.js';

/** What Redis calls the roles. */
const roleNames = { master: 'master', replica: 'slave' } as const;

/** PING must be answered by PONG: a server that loads its data, or wants a login, does not. */
export const probeRedis: Probe<ProbeSpecOf<'redis'>> = (target, spec, signal) => {
  const { origin, tls, user, password, role } = spec;
  return converse(target, { origin, tls }, signal, async (peer) => {
    if (password !== undefined) {
      await demand(peer, ['AUTH', ...(user === undefined ? [] : [user]), password], 'OK');
    }
    await demand(peer, ['PING'], 'PONG');
    if (role === undefined) return passed('+PONG');
    return judgeRole(role, await ask(peer, ['ROLE']));
  });
};

/** The answer is a list whose first element is the role as a text. */
function judgeRole(role: keyof typeof roleNames, reply: RedisReply): ProbeOutcome {
  const [first] = reply.kind === 'list' ? (reply.items ?? []) : [];
  if (first?.kind !== 'text') return refusal('ROLE', reply);
  if (first.text === roleNames[role]) return passed(`+PONG, ${role}`);
  const actual = first.text === roleNames.replica ? 'replica' : first.text;
  return failed('unexpected-answer', `the role is ${actual} and not ${role}`);
}

async function demand(peer: Peer, words: readonly string[], wanted: string): Promise<void> {
  const [name = ''] = words;
  const reply = await ask(peer, words);
  if (reply.kind === 'status' && reply.text === wanted) return;
  await peer.end(refusal(name, reply));
}

/** Says a command and takes the whole reply, however many parts it has. */
async function ask(peer: Peer, words: readonly string[]): Promise<RedisReply> {
  const [name = ''] = words;
  peer.write(encodeCommand(words));
  const bytes = await peer.take(`the answer to ${name}`, (received) => {
    const decoding = decodeReply(received);
    if (decoding.kind === 'incomplete') return undefined;
    return decoding.kind === 'reply' ? decoding.length : received.length;
  });
  const decoding = decodeReply(bytes);
  if (decoding.kind === 'reply') return decoding.reply;
  const snippet = bytes.toString('latin1', 0, 100);
  return peer.end(failed('malformed-response', `${name} was answered by "${snippet}"`));
}

function refusal(name: string, reply: RedisReply): ProbeOutcome {
  const text = 'text' in reply ? reply.text : `a ${reply.kind}`;
  const mark = reply.kind === 'error' ? '-' : '';
  return failed('unexpected-answer', `${name} was answered by "${mark}${text}"`);
}
