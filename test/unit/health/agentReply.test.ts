/** The agent protocol: the order of words does not matter, and what is not said stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  agentOutcome,
  parseAgentReply,
  rememberReply,
  silentAgent,
} from '../../../src/health/probes/agentReply.js';

const percent = fc.nat(300).map((value) => `${value}%`);
const admin = fc.constantFrom('ready', 'drain', 'maint');
const operational = fc.constantFrom('up', 'down', 'fail', 'failed', 'stopped');
const connections = fc.nat(100_000).map((value) => `maxconn:${value}`);
const separator = fc.stringMatching(/^[ \t,]{1,3}$/);

/** At most one word of each part. */
const words = fc
  .tuple(fc.option(percent), fc.option(admin), fc.option(operational), fc.option(connections))
  .map((parts) => parts.filter((part) => part !== null))
  .filter((parts) => parts.length > 0);

test('words mean the same in any order, case and spacing, whatever comment follows', () => {
  const comment = fc.stringMatching(/^[ -~]{0,30}$/);
  const shuffled = words.chain((list) =>
    fc.shuffledSubarray(list, { minLength: list.length }).map((other) => [list, other] as const),
  );
  fc.assert(
    fc.property(shuffled, separator, comment, ([list, other], between, text) => {
      const plain = parseAgentReply(list.join(' '));
      assert.ok(plain !== undefined);
      const line = `${between}${other.join(between).toUpperCase()}${between}# ${text}\nmore`;
      const reply = parseAgentReply(line);
      assert.deepEqual(reply, { ...plain, description: text.trim() });
    }),
  );
});

test('a word that the protocol does not have makes nonsense of the whole line', () => {
  fc.assert(
    fc.property(words, fc.stringMatching(/^[a-z]{1,12}$/), (list, odd) => {
      const known = ['ready', 'drain', 'maint', 'up', 'down', 'fail', 'failed', 'stopped'];
      fc.pre(!known.includes(odd));
      assert.equal(parseAgentReply([...list, odd].join(' ')), undefined);
    }),
  );
});

test('no text makes it throw, and no share is above the whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const reply = parseAgentReply(text);
      if (reply === undefined) return;
      const outcome = agentOutcome(rememberReply(silentAgent, reply), text);
      const share = 'weightPercent' in outcome ? (outcome.weightPercent ?? 100) : 100;
      assert.ok(share >= 0 && share <= 100);
    }),
  );
});

test('a line changes the parts that it mentions, and no other', () => {
  fc.assert(
    fc.property(fc.array(words), words, (history, list) => {
      const memory = history.reduce((known, each) => {
        return rememberReply(known, parseAgentReply(each.join(' ')) ?? {});
      }, silentAgent);
      const reply = parseAgentReply(list.join(' ')) ?? {};
      const next = rememberReply(memory, reply);
      assert.equal(next.weightPercent, reply.weightPercent ?? memory.weightPercent);
      assert.equal(next.admin, reply.admin ?? memory.admin);
      assert.equal(next.operational, reply.operational ?? memory.operational);
      const outcome = agentOutcome(next, 'line');
      if (next.admin === 'maint') assert.equal(outcome.reason, 'reported-maintenance');
      else if (next.operational === 'down') assert.equal(outcome.reason, 'reported-down');
      else assert.equal(outcome.reason, 'passed');
    }),
  );
});
