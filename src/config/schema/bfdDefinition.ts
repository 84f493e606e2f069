/** Keys of `bfd`. */
import { type IpAddress, parseIpAddress } from '../../wire/ipAddress.js';
import { perNode } from './containerTypes.js';
import {
  Complaint,
  optional,
  required,
  scalarType,
  type ValueType,
  withDefault,
} from './definition.js';
import { isMapping, mappingOf } from './mappingReader.js';
import { hostAddress, interfaceName } from './networkTypes.js';
import { presetType } from './presetType.js';
import { partName } from './routerDefinition.js';
import { boolean, duration, integer, notText, oneOf, text } from './scalarTypes.js';

/** Who is at the other end of a session, as it is written. */
export type BfdPeer =
  | { readonly kind: 'address'; readonly address: IpAddress }
  | { readonly kind: 'node'; readonly node: string };

/** Where a key is, as it is written. */
export type KeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'hex'; readonly hex: string };

const bfdPeer: ValueType<BfdPeer> = {
  description: 'IP address, or name of a node',
  read(raw) {
    if (typeof raw === 'string' && parseIpAddress(raw) === undefined && !/[:/]/.test(raw)) {
      const { value: node, findings } = partName.read(raw);
      return { value: node === undefined ? undefined : { kind: 'node', node }, findings };
    }
    const { value: address, findings } = hostAddress.read(raw);
    return { value: address === undefined ? undefined : { kind: 'address', address }, findings };
  },
};

const keyFileType = mappingOf({
  file: required(
    text({
      description: 'absolute path',
      pattern: /^\/[!-~]{1,4094}$/,
      expected: 'an absolute path without spaces',
    }),
    {
      doc:
        'A file that holds the key: its bytes as they are, 1 to 20 of them, without a newline ' +
        'at the end. Only its owner may be able to read it.',
    },
  ),
});

/** Never repeats what it was given: it may be a key with a mistake in it. */
const hexKey = scalarType('2 to 40 hexadecimal digits', (raw) => {
  if (typeof raw !== 'string') return typeof raw === 'number' ? quoteNumber : notText(raw);
  if (/^([0-9a-fA-F]{2}){1,20}$/.test(raw)) return raw;
  return new Complaint(
    'must be 1 to 20 bytes as hexadecimal digits, two for each',
    'a key of other characters goes into a file: key: { file: /etc/tandem/bfd.key }',
  );
});

const quoteNumber = new Complaint('must be text', 'put the digits in quotes');

const keyType: ValueType<KeySource> = {
  description: `${hexKey.description}; or a mapping`,
  ...(keyFileType.nested === undefined ? {} : { nested: keyFileType.nested }),
  read(raw) {
    if (!isMapping(raw)) {
      const { value: hex, findings } = hexKey.read(raw);
      return { value: hex === undefined ? undefined : { kind: 'hex', hex }, findings };
    }
    const { value, findings } = keyFileType.read(raw);
    const path = value?.file;
    return { value: path === undefined ? undefined : { kind: 'file', path }, findings };
  },
};

const notSpoken = 'is not spoken: everybody on the link reads or breaks it';

const authenticationType = mappingOf({
  type: withDefault(
    oneOf(['meticulous-sha1', 'sha1'], {
      simple: `simple ${notSpoken}; use meticulous-sha1`,
      md5: `md5 ${notSpoken}; use meticulous-sha1`,
      'meticulous-md5': `meticulous-md5 ${notSpoken}; use meticulous-sha1`,
    }),
    'meticulous-sha1',
    { doc: 'The form of RFC 5880, 6.7. The meticulous one never takes a packet twice.' },
  ),
  keyId: withDefault(integer({ min: 0, max: 255 }), 1, { doc: 'The same on both ends.' }),
  key: required(keyType, { doc: 'The key, the same on both ends.' }),
});

/** One element of `bfd`. */
export const bfdType = mappingOf({
  name: required(partName, { doc: 'Names the session in logs, status and trackers. Unique.' }),
  peer: optional(perNode(bfdPeer), {
    doc:
      'The other end. A node is meant by its address; on that very node it is the other one of ' +
      'the two.',
    meaning: 'the other one of the two nodes',
  }),
  interface: optional(perNode(interfaceName), {
    doc:
      'The interface that the peer is at. A multihop session only takes its own address from ' +
      'it.',
    meaning: "the node's interface",
  }),
  enabled: withDefault(boolean, true, {
    doc:
      'With `false` the session is held in AdminDown, which the peer does not take as a ' +
      'failure.',
  }),
  preset: optional(presetType, {
    doc: 'Defaults for the intervals of this session.',
    meaning: 'the `preset` of the file',
  }),
  desiredMinTx: withDefault(duration({ minMs: 10, maxMs: 60_000 }), '300ms', {
    doc: 'The shortest time between packets that this node would like to send.',
  }),
  requiredMinRx: optional(duration({ minMs: 10, maxMs: 60_000 }), {
    doc: 'The shortest time between packets of the peer that this node can take.',
    meaning: 'as `desiredMinTx`',
  }),
  multiplier: withDefault(integer({ min: 1, max: 255 }), 3, {
    doc: 'How many packets of this node may be missed before the peer holds it to be gone.',
  }),
  multihop: withDefault(boolean, false, {
    doc: 'Whether routers may be in between (RFC 5883). Use authentication then.',
  }),
  authentication: optional(authenticationType, {
    doc: 'Packets without the right digest are discarded.',
    meaning: 'packets are not authenticated; a TTL of 255 keeps those from elsewhere out',
  }),
});
