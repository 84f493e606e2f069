/** Properties of the codecs that checks speak to services with: they read all that they write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCodedReply } from '../../../src/wire/codedReply.js';
import {
  decodeHealthResponse,
  encodeHealthRequest,
  servingStatuses,
} from '../../../src/wire/grpcHealth.js';
import {
  decodeGreeting,
  decodeReply as decodeMysqlReply,
  encodeLogin,
  encodePacket,
  nativePassword,
  packetBytes,
} from '../../../src/wire/mysqlHandshake.js';
import { decodeMessage, encodeStartup, messageBytes } from '../../../src/wire/postgresStartup.js';
import { decodeReply, encodeCommand, type RedisReply } from '../../../src/wire/redisReply.js';

const anyBytes = fc.uint8Array({ maxLength: 300 });
const word = fc.string({ unit: 'binary', maxLength: 40 });

/** Text that a line can hold. */
const line = fc.stringMatching(/^[ -~]{0,40}$/);

test('no bytes make a decoder throw, and what is taken is there', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      decodeHealthResponse(bytes);
      decodeMysqlReply(bytes);
      decodeMessage(bytes);
      messageBytes(bytes);
      packetBytes(bytes);
      const greeting = decodeGreeting(bytes);
      if (greeting?.kind === 'greeting') assert.equal(greeting.challenge.length, 20);
      for (const decoded of [decodeReply(bytes), decodeCodedReply(bytes)]) {
        if (decoded.kind !== 'reply') continue;
        assert.ok(decoded.length > 0 && decoded.length <= bytes.length);
      }
    }),
  );
});

test('the name of a service is in its frame, whole and measured', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[!-~]{0,63}$/), (service) => {
      const frame = Buffer.from(encodeHealthRequest(service));
      assert.equal(frame.readUInt32BE(1), frame.length - 5);
      assert.equal(frame[0], 0);
      assert.equal(frame.toString('utf8', frame.length - service.length), service);
    }),
  );
});

test('a health response is read by its number, and by no other frame', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(8), (status, cut) => {
      const frame = Uint8Array.of(0, 0, 0, 0, 2, 8, status);
      assert.equal(decodeHealthResponse(frame), servingStatuses[status]);
      if (cut < frame.length) assert.equal(decodeHealthResponse(frame.subarray(0, cut)), undefined);
    }),
  );
});

test('a packet of MySQL has the length that it says', () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(255), (payload, sequence) => {
      const packet = encodePacket(sequence, payload);
      assert.equal(packetBytes(packet), packet.length);
      assert.equal(packet[3], sequence);
      assert.deepEqual(packet.slice(4), payload);
    }),
  );
});

test('a proof is of the password and of the challenge, and only they make it', () => {
  const challenge = fc.uint8Array({ minLength: 20, maxLength: 20 });
  fc.assert(
    fc.property(word, word, challenge, challenge, (one, other, first, second) => {
      const proof = nativePassword(one, first);
      assert.equal(proof.length, one === '' ? 0 : 20);
      assert.deepEqual(nativePassword(one, first), proof);
      if (one !== other && one !== '') assert.notDeepEqual(nativePassword(other, first), proof);
      const isSame = Buffer.from(first).equals(second);
      if (one !== '' && !isSame) assert.notDeepEqual(nativePassword(one, second), proof);
      const login = Buffer.from(encodeLogin('me', proof));
      assert.ok(one === '' || login.includes(Buffer.from(proof)));
    }),
  );
});

test('a startup of PostgreSQL has the length that it says, and all its parameters', () => {
  const name = fc.stringMatching(/^[!-~]{1,63}$/);
  fc.assert(
    fc.property(name, name, (user, database) => {
      const message = Buffer.from(encodeStartup({ user, database }));
      assert.equal(message.readUInt32BE(), message.length);
      const texts = message.toString('utf8', 8).split('\0');
      assert.deepEqual(texts, ['user', user, 'database', database, '', '']);
    }),
  );
});

test('an error of PostgreSQL is read whatever stands around its state', () => {
  const field = fc.tuple(fc.constantFrom(...'SVDHPqF'), line);
  fc.assert(
    fc.property(
      fc.array(field),
      fc.stringMatching(/^[0-9A-Z]{5}$/),
      line,
      (others, state, text) => {
        const fields = [
          ...others.map(([letter, value]) => letter + value),
          `C${state}`,
          `M${text}`,
        ];
        const body = Buffer.from(`${fields.join('\0')}\0\0`);
        const message = Buffer.alloc(5 + body.length);
        message.write('E');
        message.writeUInt32BE(4 + body.length, 1);
        body.copy(message, 5);
        assert.equal(messageBytes(message), message.length);
        assert.deepEqual(decodeMessage(message), { kind: 'error', state, text });
        assert.equal(decodeMessage(message.subarray(0, -1)), undefined);
      },
    ),
  );
});

const { reply: anyReply } = fc.letrec<{ reply: RedisReply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    line.map((text): RedisReply => ({ kind: 'status', text })),
    line.map((text): RedisReply => ({ kind: 'error', text })),
    fc.integer().map((value): RedisReply => ({ kind: 'integer', value })),
    fc.option(word).map((text): RedisReply => ({ kind: 'text', text })),
    fc
      .option(fc.array(tie('reply'), { maxLength: 4 }))
      .map((items): RedisReply => ({ kind: 'list', items })),
  ),
}));

/** What a server would send for a reply. */
function redisText(reply: RedisReply): string {
  switch (reply.kind) {
    case 'status':
      return `+${reply.text}\r\n`;
    case 'error':
      return `-${reply.text}\r\n`;
    case 'integer':
      return `:${reply.value}\r\n`;
    case 'text':
      if (reply.text === null) return '$-1\r\n';
      return `$${Buffer.byteLength(reply.text)}\r\n${reply.text}\r\n`;
    case 'list':
      if (reply.items === null) return '*-1\r\n';
      return `*${reply.items.length}\r\n${reply.items.map(redisText).join('')}`;
  }
}

test('every reply of Redis is read whole, and no part of it is one', () => {
  fc.assert(
    fc.property(anyReply, anyBytes, fc.nat(), (reply, behind, cut) => {
      const bytes = Buffer.from(redisText(reply));
      const decoded = decodeReply(Buffer.concat([bytes, behind]));
      assert.deepEqual(decoded, { kind: 'reply', reply, length: bytes.length });
      const part = bytes.subarray(0, cut % bytes.length);
      assert.deepEqual(decodeReply(part), { kind: 'incomplete' });
    }),
  );
});

test('a command is what a server reads as a list of its words', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const bytes = encodeCommand(words);
      const decoded = decodeReply(bytes);
      const items = words.map((text) => ({ kind: 'text', text }));
      assert.deepEqual(decoded, {
        kind: 'reply',
        reply: { kind: 'list', items },
        length: bytes.length,
      });
    }),
  );
});

test('every reply with a code is read whole, and no part of it is one', () => {
  const code = fc.stringMatching(/^[1-5][0-9]{2}$/);
  fc.assert(
    fc.property(code, fc.array(line), line, fc.nat(), (digits, lines, last, cut) => {
      const inner = lines.map((text) => `${digits}-${text}\r\n`);
      const text = `${inner.join('')}${digits} ${last}\r\n`;
      const bytes = Buffer.from(text);
      const decoded = decodeCodedReply(Buffer.concat([bytes, Buffer.from('250 next\r\n')]));
      const wanted = { kind: 'reply', code: digits, line: `${digits} ${last}` };
      assert.deepEqual(decoded, { ...wanted, length: bytes.length });
      const part = bytes.subarray(0, cut % bytes.length);
      assert.deepEqual(decodeCodedReply(part), { kind: 'incomplete' });
    }),
  );
});
