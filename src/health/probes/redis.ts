/** The Redis probe: PING, after a login where the check has one. */
import type { ProbeSpecOf } from '../probeSpec.js';
import { converse, type Peer, takeLine } from './peer.js';
import { failed, type Probe, passed } from './probe.js';

const roleNames = { master: 'master', replica: 'slave' } as const;

/** PING must be answered by PONG: a server that loads its data, or wants a login, does not. */
export const probeRedis: Probe<ProbeSpecOf<'redis'>> = (target, spec, signal) => {
  const { origin, tls, user, password, role } = spec;
  return converse(target, { origin, tls }, signal, async (peer) => {
    if (password !== undefined) {
      await demand(peer, ['AUTH', ...(user === undefined ? [] : [user]), password], '+OK');
    }
    await demand(peer, ['PING'], '+PONG');
    if (role === undefined) return passed('+PONG');
    // The answer is a list whose first element is the role as a text.
    peer.write(command(['ROLE']));
    const count = await takeLine(peer, 'the answer to ROLE');
    if (!/^\*\d+$/.test(count)) return failed('unexpected-answer', `ROLE: "${count}"`);
    const length = await takeLine(peer, 'the answer to ROLE');
    if (!/^\$\d+$/.test(length)) return failed('malformed-response', `ROLE: "${length}"`);
    const actual = await takeLine(peer, 'the role');
    return actual === roleNames[role]
      ? passed(`+PONG, ${role}`)
      : failed('unexpected-answer', `the role is ${actual} and not ${roleNames[role]}`);
  });
};

async function demand(peer: Peer, words: readonly string[], wanted: string): Promise<void> {
  const [name = ''] = words;
  peer.write(command(words));
  const line = await takeLine(peer, `the answer to ${name}`);
  if (line === wanted) return;
  const reason = /^[-+]/.test(line) ? 'unexpected-answer' : 'malformed-response';
  await peer.end(failed(reason, `${name} was answered by "${line}"`));
}

/** A command as a list of texts (RESP). */
function command(words: readonly string[]): string {
  const texts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${texts.join('')}`;
}
