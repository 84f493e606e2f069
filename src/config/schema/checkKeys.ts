/** Keys that several kinds of checks share: where from, how TLS is spoken, what is said. */
import type { FileReference } from '../../health/probeSpec.js';
import { filePath } from './commandTypes.js';
import { listOf } from './containerTypes.js';
import {
  Complaint,
  optional,
  required,
  scalarType,
  type ValueType,
  withDefault,
} from './definition.js';
import { bodyPattern } from './httpTypes.js';
import { mappingOf } from './mappingReader.js';
import { hostAddress } from './networkTypes.js';
import { boolean, integer, notText, text } from './scalarTypes.js';

/** Where the packets of a probe come from and go to. */
export const connectionKeys = {
  address: optional(hostAddress, {
    doc: 'Where to check instead of the server itself: one address for all servers.',
    meaning: "the server's address",
  }),
  source: optional(hostAddress, {
    doc: 'The source address of the probes.',
    meaning: 'what the routing gives',
  }),
  mark: optional(integer({ min: 1, max: 4_294_967_295 }), {
    doc: 'The firewall mark of the probes, for policy routing. Needs CAP_NET_ADMIN.',
    meaning: 'none',
  }),
} as const;

function fileType(secret: boolean): ValueType<FileReference> {
  const mapping = mappingOf({
    file: required(filePath, {
      doc: secret
        ? 'A file that only its owner can read. It is read when the configuration is loaded.'
        : 'A file in PEM. It is read when the configuration is loaded.',
    }),
  });
  return {
    description: 'mapping with `file`, an absolute path',
    read(raw) {
      const { value, findings } = mapping.read(raw);
      const path = value?.file;
      return { value: path === undefined ? undefined : { kind: 'file', path, secret }, findings };
    },
  };
}

/** A password, a key. */
export const secretFile = fileType(true);

const publicFile = fileType(false);

/** A name that a server may have in a certificate. */
const serverName = text({
  description: 'host name or IP address',
  pattern: /^[A-Za-z0-9._:-]{1,253}$/,
  expected: 'a host name or an IP address',
});

const tlsMapping = mappingOf({
  verify: withDefault(boolean, true, {
    doc: 'Whether the certificate must be valid, trusted and for the name of the server.',
  }),
  serverName: optional(serverName, {
    doc: 'Sent as SNI, and the name that the certificate must be for.',
    meaning: "the host of an HTTP check, else the server's address",
  }),
  ca: optional(publicFile, {
    doc: 'Certificates of the authorities that are trusted.',
    meaning: 'the well-known ones',
  }),
  certificate: optional(publicFile, {
    doc: 'The certificate chain that the check shows. Needs `key`.',
    meaning: 'none',
  }),
  key: optional(secretFile, { doc: 'The key of `certificate`.', meaning: 'none' }),
  minDaysValid: optional(integer({ min: 0, max: 3650 }), {
    doc: "The server's certificate must be valid for so many days more.",
    meaning: 'it must be valid now',
  }),
});

/** How TLS is spoken, where the kind of check speaks it in any case. */
export const tlsKey = {
  tls: optional(tlsMapping, {
    doc: 'How TLS is spoken, and what the certificate must be.',
    meaning: 'the certificate is verified with the well-known authorities',
  }),
} as const;

/** TLS for kinds that speak without it as well. */
export const optionalTlsKey = {
  tls: optional(tlsMapping, { doc: 'Speaks TLS. `{}` takes all defaults.', meaning: 'no TLS' }),
} as const;

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  0: '\0',
  '\\': '\\',
};

/** Text, or bytes as `hex:` and digits; the value is base64. */
export const bytesType: ValueType<string> = scalarType(
  'text with `\\r`, `\\n`, `\\t`, `\\0`, `\\\\` and `\\xHH`; or `hex:` and digits',
  (raw) => {
    if (typeof raw !== 'string') return notText(raw);
    if (raw === '' || raw.length > 8192) {
      return new Complaint(`must have 1 to 8192 characters, got ${raw.length}`);
    }
    if (raw.startsWith('hex:')) {
      const digits = raw.slice(4).replaceAll(' ', '');
      if (!/^([0-9a-fA-F]{2})+$/.test(digits)) {
        return new Complaint('must have two hexadecimal digits for each byte behind `hex:`');
      }
      return Buffer.from(digits, 'hex').toString('base64');
    }
    const bytes: Buffer[] = [];
    const pattern = /\\(?:x([0-9a-fA-F]{2})|([nrt0\\]))|\\|[^\\]+/gu;
    for (const [whole, hex, letter] of raw.matchAll(pattern)) {
      if (whole === '\\') {
        const hint = 'write a backslash itself as two of them';
        return new Complaint(`has a backslash that begins no escape: ${raw.slice(0, 40)}`, hint);
      }
      if (hex !== undefined) bytes.push(Buffer.from(hex, 'hex'));
      else bytes.push(Buffer.from(letter === undefined ? whole : (escapes[letter] ?? ''), 'utf8'));
    }
    return Buffer.concat(bytes).toString('base64');
  },
);

/** What is sent, and what must come. */
export const stepKeys = {
  send: optional(bytesType, { doc: 'What is sent first.', meaning: 'nothing' }),
  expect: optional(bytesType, {
    doc: 'What the answer must contain.',
    meaning: 'anything will do',
  }),
  expectMatches: optional(bodyPattern, {
    doc: 'Regular expression that the answer must match.',
    meaning: 'anything will do',
  }),
} as const;

/** A conversation of one step or several. */
export const conversationKeys = {
  ...stepKeys,
  steps: optional(listOf(mappingOf(stepKeys), { min: 1, max: 32 }), {
    doc: 'Several exchanges, one after the other, behind the first.',
    meaning: 'none',
  }),
} as const;

/** A name of a user, a database or a service in a protocol. */
export const protocolName = text({
  description: 'name of at most 63 printable characters',
  pattern: /^[!-~]{1,63}$/,
  expected: 'a name of 1 to 63 printable characters without spaces',
});
