/** The messages of the services that checks speak to, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCodedReply } from '../../../src/wire/codedReply.js';
import { decodeHealthResponse, encodeHealthRequest } from '../../../src/wire/grpcHealth.js';
import {
  cachingSha2Password,
  decodeGreeting,
  decodeReply as decodeMysqlReply,
  encodeLogin,
  encodePacket,
  encodeTlsRequest,
  nativePassword,
  packetBytes,
} from '../../../src/wire/mysqlHandshake.js';
import {
  decodeMessage,
  encodeTlsRequest as encodePostgresTlsRequest,
  encodeStartup,
  messageBytes,
} from '../../../src/wire/postgresStartup.js';
import { decodeReply, encodeCommand } from '../../../src/wire/redisReply.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
const hexOf = (value: Uint8Array): string => Buffer.from(value).toString('hex');
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');

test('requests and answers of the health service of gRPC', () => {
  assert.equal(hexOf(encodeHealthRequest('')), '0000000000');
  assert.equal(hexOf(encodeHealthRequest('a.B')), '00000000050a03612e42');
  for (const [hex, status] of [
    ['0000000000', 'UNKNOWN'],
    ['00000000020800', 'UNKNOWN'],
    ['00000000020801', 'SERVING'],
    ['00000000020802', 'NOT_SERVING'],
    ['00000000020803', 'SERVICE_UNKNOWN'],
    ['00000000020804', undefined],
    ['01000000020801', undefined],
    ['000000000208', undefined],
    ['0000000002080100', undefined],
    ['00000000021001', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(decodeHealthResponse(bytes(hex)), status, hex);
  }
});

/** The example of the manual of MySQL: the greeting of 5.5.2-m2. */
const greeting = bytes(`36000000 0a352e352e322d6d32000b00000064764840492d434a00fff7080200
  00000000000000000000000000 2a34647c635a776b345e5d3a00`);

test('the greeting of MySQL has its version and both parts of its challenge', () => {
  assert.equal(packetBytes(greeting), greeting.length);
  const decoded = decodeGreeting(greeting.subarray(4));
  assert.deepEqual(decoded, {
    kind: 'greeting',
    version: '5.5.2-m2',
    challenge: new Uint8Array(ascii('dvH@I-CJ*4d|cZwk4^]:')),
    offersTls: false,
  });
  for (let length = 0; length < greeting.length - 5; length += 1) {
    assert.equal(decodeGreeting(greeting.subarray(4, 4 + length)), undefined, `${length} bytes`);
  }
  assert.equal(packetBytes(greeting.subarray(0, 3)), undefined);
});

test('a server of MySQL that takes nobody says so in its greeting', () => {
  const blocked = bytes(`ff6904 ${hexOf(ascii("Host 'a' is blocked"))}`);
  assert.deepEqual(decodeGreeting(blocked), {
    kind: 'error',
    message: "error 1129: Host 'a' is blocked",
  });
  assert.deepEqual(decodeMysqlReply(bytes(`ff1504 ${hexOf(ascii('#28000Access denied'))}`)), {
    kind: 'error',
    message: 'error 1045: Access denied',
  });
});

test('the login of MySQL proves the password without saying it', () => {
  const challenge = Uint8Array.from({ length: 20 }, (_, index) => index + 1);
  // SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password))), computed by another program.
  const proof = 'b32bb3a583e1340c0a1108d58b1be49781ad8c2f';
  assert.equal(hexOf(nativePassword('secret', challenge)), proof);
  assert.equal(hexOf(nativePassword('', challenge)), '');
  // SHA256(password) XOR SHA256(SHA256(SHA256(password)), challenge), likewise.
  const sha2 = '746ebe205d56a0707acb3e796e834e0dd7b1d61743b26bd5202c7a623230c7c9';
  assert.equal(hexOf(cachingSha2Password('secret', challenge)), sha2);
  assert.equal(hexOf(cachingSha2Password('', challenge)), '');
  const request = bytes(`018a0800 00000001 21 ${'00'.repeat(23)}`);
  assert.equal(hexOf(encodeTlsRequest()), hexOf(request));
  assert.equal(hexOf(encodeLogin('me', new Uint8Array(0), true).subarray(0, 32)), hexOf(request));
  const login = encodePacket(1, encodeLogin('me', nativePassword('secret', challenge)));
  assert.equal(
    hexOf(login),
    hexOf(
      bytes(`4e000001 01820800 00000001 21 ${'00'.repeat(23)} 6d6500 14${proof}
        ${hexOf(ascii('mysql_native_password'))}00`),
    ),
  );
});

test('what a server of MySQL answers to a login', () => {
  assert.deepEqual(decodeMysqlReply(bytes('00000002000000')), { kind: 'ok' });
  assert.equal(decodeMysqlReply(bytes('0000')), undefined);
  const challenge = ascii('abcdefghijklmnopqrst');
  const other = bytes(`fe ${hexOf(ascii('caching_sha2_password'))}00 ${hexOf(challenge)}00`);
  assert.deepEqual(decodeMysqlReply(new Uint8Array(other)), {
    kind: 'other-method',
    method: 'caching_sha2_password',
    challenge: new Uint8Array(challenge),
  });
  const old = decodeMysqlReply(bytes('fe'));
  assert.equal(old?.kind === 'other-method' && old.method, 'mysql_old_password');
  const more = decodeMysqlReply(new Uint8Array(bytes('0104')));
  assert.deepEqual(more, { kind: 'more', data: Uint8Array.of(4) });
  assert.equal(decodeMysqlReply(bytes('')), undefined);
});

test('the startup of PostgreSQL, and what may come back', () => {
  assert.equal(
    hexOf(encodeStartup({ user: 'me', database: 'db' })),
    hexOf(bytes(`0000001d 00030000 ${hexOf(ascii('user\0me\0database\0db\0\0'))}`)),
  );
  assert.equal(hexOf(encodePostgresTlsRequest()), '0000000804d2162f');
  const sasl = bytes(`52 00000017 0000000a ${hexOf(ascii('SCRAM-SHA-256\0\0'))}`);
  assert.equal(messageBytes(sasl), sasl.length);
  assert.deepEqual(decodeMessage(sasl), { kind: 'authentication', method: 10 });
  assert.deepEqual(decodeMessage(bytes('52 00000008 00000000')), {
    kind: 'authentication',
    method: 0,
  });
  const fields = ascii('SFATAL\0C57P03\0Mthe database system is starting up\0\0');
  const length = (fields.length + 4).toString(16).padStart(8, '0');
  assert.deepEqual(decodeMessage(bytes(`45 ${length} ${hexOf(fields)}`)), {
    kind: 'error',
    state: '57P03',
    text: 'the database system is starting up',
  });
  assert.deepEqual(decodeMessage(bytes('5a 00000005 49')), { kind: 'ready' });
  assert.deepEqual(decodeMessage(bytes('4b 0000000c 00000001 00000002')), { kind: 'remark' });
  for (const wrong of ['52 00000004', '52 00000009 00000000', '5a 00000004', '48 00000004', '']) {
    assert.equal(decodeMessage(bytes(wrong)), undefined, wrong);
  }
});

test('commands and replies of Redis', () => {
  assert.equal(
    Buffer.from(encodeCommand(['AUTH', 'ü'])).toString('utf8'),
    '*2\r\n$4\r\nAUTH\r\n$2\r\nü\r\n',
  );
  for (const [text, reply] of [
    ['+PONG\r\n', { kind: 'status', text: 'PONG' }],
    ['-NOAUTH no\r\n', { kind: 'error', text: 'NOAUTH no' }],
    [':-12\r\n', { kind: 'integer', value: -12 }],
    ['$5\r\nab\r\nc\r\n', { kind: 'text', text: 'ab\r\nc' }],
    ['$0\r\n\r\n', { kind: 'text', text: '' }],
    ['$-1\r\n', { kind: 'text', text: null }],
    ['*-1\r\n', { kind: 'list', items: null }],
    ['*0\r\n', { kind: 'list', items: [] }],
    [
      '*2\r\n$6\r\nmaster\r\n:3\r\n',
      {
        kind: 'list',
        items: [
          { kind: 'text', text: 'master' },
          { kind: 'integer', value: 3 },
        ],
      },
    ],
  ] as const) {
    assert.deepEqual(decodeReply(ascii(`${text}+next`)), {
      kind: 'reply',
      reply,
      length: text.length,
    });
    for (let length = 0; length < text.length; length += 1) {
      assert.deepEqual(decodeReply(ascii(text).subarray(0, length)), { kind: 'incomplete' });
    }
  }
  for (const text of [
    'PONG\r\n',
    '+PONG\n',
    '$x\r\n',
    '$-2\r\n',
    '$99999\r\n',
    '*99999\r\n',
    '$2\r\nabc\r\n',
    '*1\r\nx',
    '*1\r\n'.repeat(10),
    ':\r\n',
    `+${'x'.repeat(70_000)}`,
  ]) {
    assert.deepEqual(decodeReply(ascii(text)), { kind: 'malformed' }, text.slice(0, 40));
  }
});

test('replies of SMTP and FTP, in one line and in several', () => {
  for (const [text, code, line] of [
    ['220 mail ready\r\n', '220', '220 mail ready'],
    ['221\r\n', '221', '221'],
    ['250-mail\r\n250-PIPELINING\r\n250 STARTTLS\r\n', '250', '250 STARTTLS'],
    ['220 without a return\n', '220', '220 without a return'],
    ['211-Features:\r\n MDTM\r\n200 not the end\r\n211 End\r\n', '211', '211 End'],
  ] as const) {
    const decoded = decodeCodedReply(ascii(`${text}500 next\r\n`));
    assert.deepEqual(decoded, { kind: 'reply', code, line, length: text.length });
    for (let length = 0; length < text.length; length += 1) {
      assert.deepEqual(decodeCodedReply(ascii(text).subarray(0, length)), { kind: 'incomplete' });
    }
  }
  for (const text of ['* OK hello\r\n', '2200 long\r\n', '22 short\r\n', '220_odd\r\n', '\r\n']) {
    const line = text.trimEnd();
    assert.deepEqual(decodeCodedReply(ascii(text)), { kind: 'malformed', line }, text);
  }
});
