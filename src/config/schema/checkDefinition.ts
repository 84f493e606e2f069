/** The kinds of checks, by `type`. */
import { httpKeys } from './checkHttp.js';
import {
  bytesType,
  connectionKeys,
  conversationKeys,
  optionalTlsKey,
  protocolName,
  secretFile,
  stepKeys,
  tlsKey,
} from './checkKeys.js';
import { checkTiming, resultsInARow } from './checkTiming.js';
import { commandType, filePath, userType } from './commandTypes.js';
import { listOf, variantsOf } from './containerTypes.js';
import { optional, required, withDefault } from './definition.js';
import { hostHeader } from './httpTypes.js';
import { partName } from './routerDefinition.js';
import { boolean, integer, oneOf, text } from './scalarTypes.js';

const common = { ...connectionKeys, ...checkTiming } as const;

/** What says itself that it has changed its mind is believed at once. */
const atOnce = {
  rise: withDefault(resultsInARow, 1, {
    doc: 'Passes in a row that bring a server up again; what is asked here is believed at once.',
  }),
  fall: withDefault(resultsInARow, 1, {
    doc: 'Failures in a row that take a server down; what is asked here is believed at once.',
  }),
} as const;

const mailKeys = {
  encryption: withDefault(oneOf(['none', 'starttls', 'tls']), 'none', {
    doc: '`starttls` demands TLS inside of the conversation, `tls` begins with it.',
  }),
  ...tlsKey,
  ...common,
} as const;

const dnsName = text({
  description: 'name in DNS',
  pattern: /^(\.|[!-~]{1,253})$/,
  expected: 'a name in DNS without spaces',
});

const dnsKeys = {
  name: withDefault(dnsName, '.', { doc: 'The name that is asked for.' }),
  recordType: withDefault(
    oneOf(['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']),
    'SOA',
    { doc: 'The kind of record that is asked for.' },
  ),
  transport: withDefault(oneOf(['udp', 'tcp']), 'udp', { doc: 'How it is asked for.' }),
  recursion: withDefault(boolean, true, { doc: 'Whether the server is to ask others.' }),
  responseCode: withDefault(
    oneOf(['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']),
    'NOERROR',
    { doc: 'The response code that must come.' },
  ),
  answers: withDefault(
    listOf(
      text({
        description: 'record as in a zone file',
        pattern: /^[ -~]{1,255}$/,
        expected: 'a record as a zone file has it, such as 192.0.2.1 or 10 mail.example.org',
      }),
      { min: 0, max: 32 },
    ),
    [],
    { doc: 'Records that must be among the answers.' },
  ),
  minAnswers: withDefault(integer({ min: 0, max: 255 }), 0, {
    doc: 'So many records of the type must be among the answers.',
  }),
  ...common,
} as const;

/** The value of `check`. */
export const checkType = variantsOf(
  {
    tcp: { ...conversationKeys, ...common },
    tls: { ...conversationKeys, ...tlsKey, ...common },
    http: { ...httpKeys, ...common },
    https: { ...httpKeys, ...tlsKey, ...common },
    udp: {
      ...stepKeys,
      send: required(bytesType, { doc: 'What the datagram holds.' }),
      silencePasses: withDefault(boolean, false, {
        doc: 'Whether no answer at all counts as healthy, as long as nobody refuses.',
      }),
      ...common,
    },
    dns: dnsKeys,
    icmp: {
      payloadBytes: withDefault(integer({ min: 8, max: 1024 }), 56, {
        doc: 'Bytes in the echo request, which must come back as they went.',
      }),
      ...common,
    },
    smtp: {
      helloName: optional(protocolName, {
        doc: 'The name that the check introduces itself with.',
        meaning: '`tandem.invalid`',
      }),
      ...mailKeys,
    },
    imap: mailKeys,
    pop3: mailKeys,
    ftp: mailKeys,
    redis: {
      user: optional(protocolName, { doc: 'Who logs in.', meaning: 'the default user' }),
      password: optional(secretFile, { doc: 'Where the password is.', meaning: 'no login' }),
      role: optional(oneOf(['master', 'replica']), {
        doc: 'The role that the server must have.',
        meaning: 'any role',
      }),
      ...optionalTlsKey,
      ...common,
    },
    mysql: {
      user: optional(protocolName, {
        doc:
          'Who logs in. Without a login the server counts each check as an interrupted ' +
          'connection, and may lock this host out (`max_connect_errors`).',
        meaning: 'the greeting is enough',
      }),
      password: optional(secretFile, {
        doc:
          'Where the password is (`mysql_native_password`, `caching_sha2_password`). The latter ' +
          'may want the password itself, which is sent inside of `tls` only.',
        meaning: 'none',
      }),
      ...optionalTlsKey,
      ...common,
    },
    postgres: {
      user: withDefault(protocolName, 'tandem', {
        doc: 'Who a session is begun for. It need not exist: nobody logs in.',
      }),
      database: withDefault(protocolName, 'postgres', { doc: 'The database of the session.' }),
      ...optionalTlsKey,
      ...common,
    },
    grpc: {
      service: optional(protocolName, {
        doc: 'The service whose health is asked for (grpc.health.v1).',
        meaning: 'the server as a whole',
      }),
      authority: optional(hostHeader, {
        doc: 'The authority of the request.',
        meaning: "the server's address and port",
      }),
      ...optionalTlsKey,
      ...common,
    },
    script: {
      command: required(commandType, {
        doc:
          'A program by its absolute path, then its arguments, in which `{address}` and `{port}` ' +
          'stand for the server. No shell is involved. Status 0 passes.',
      }),
      user: optional(userType, {
        doc: 'Who it runs as.',
        meaning: 'nobody, or the agent itself where that is not root',
      }),
      exitCodeIsWeight: withDefault(boolean, false, {
        doc: 'Whether status 2 to 102 passes with 0 to 100 % of the weight.',
      }),
      ...checkTiming,
    },
    file: {
      path: required(filePath, {
        doc: 'The file, in whose path `{address}` and `{port}` stand for the server.',
      }),
      meaning: withDefault(oneOf(['weight', 'zero-passes']), 'weight', {
        doc:
          '`weight`: the file holds the share of the weight, 0 to 100. `zero-passes`: 0 is ' +
          'healthy, any other number is not.',
      }),
      ...checkTiming,
    },
    agent: {
      send: optional(bytesType, { doc: 'What the agent is sent first.', meaning: 'nothing' }),
      whenSilent: withDefault(oneOf(['ignore', 'fail']), 'ignore', {
        doc:
          'What an agent that cannot be asked, or makes no sense, means: nothing, as with ' +
          'HAProxy, or a failure.',
      }),
      ...common,
      ...atOnce,
    },
    bfd: {
      session: optional(partName, {
        doc: 'The session in `bfd` that tells of the servers, such as that of their router.',
        meaning: 'for each server the session whose `peer` it is',
      }),
      ...checkTiming,
      ...atOnce,
    },
  },
  {
    explained: {
      status: 'unknown key: write it as `expect: { status: ... }`',
      bodyContains: 'unknown key: write it as `expect: { bodyContains: ... }`',
      bodyMatches: 'unknown key: write it as `expect: { bodyMatches: ... }`',
    },
  },
);
