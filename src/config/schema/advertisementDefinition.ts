/** Keys of `virtualRouters` that say how advertisements are sent and whom they are taken from. */
import type { VrrpVersion } from '../../wire/vrrp.js';
import { listOf, perNode } from './containerTypes.js';
import {
  Complaint,
  optional,
  required,
  scalarType,
  section,
  type ValueType,
  withDefault,
} from './definition.js';
import { mappingOf } from './mappingReader.js';
import { hostAddress } from './networkTypes.js';
import { duration, integer, oneOf, text } from './scalarTypes.js';

/** Most peers of a virtual router that does not use the group. */
export const unicastPeersMax = 64;

/** Most keys that are accepted at the same time; two are enough for a change of keys. */
export const hmacKeysMax = 16;

const versionType = scalarType<VrrpVersion>('2 or 3', (raw) =>
  raw === 2 || raw === 3 ? raw : new Complaint(`must be 2 or 3, got ${JSON.stringify(raw)}`),
);

/** A text that is not shown when it is wrong, because what is printed ends in logs. */
function secret(description: string, pattern: RegExp): ValueType<string> {
  return scalarType(description, (raw) =>
    typeof raw === 'string' && pattern.test(raw) ? raw : new Complaint(`must be ${description}`),
  );
}

const authenticationHeaderRefused =
  'ah (the IPsec Authentication Header) is not spoken: RFC 3768 removed it; use `hmac` of the ' +
  'virtual router, or `simple` and a password for peers without it';

const passwordIsSimple = "keepalived's PASS is `simple` here";

const authenticationType = mappingOf({
  type: required(
    oneOf(['simple'], {
      ah: authenticationHeaderRefused,
      AH: authenticationHeaderRefused,
      pass: passwordIsSimple,
      PASS: passwordIsSimple,
    }),
    {
      doc:
        '`simple` sends a password that everybody on the link can read: it keeps routers apart ' +
        'that were configured alike by mistake, and nobody out.',
    },
  ),
  password: required(secret('text of at most 8 characters without spaces', /^[!-~]{1,8}$/), {
    doc: "The password, in keepalived's words the first 8 characters of `auth_pass`.",
  }),
});

const keyType = mappingOf({
  id: required(integer({ min: 1, max: 255 }), {
    doc: 'Number that advertisements name the key with. The same on every node.',
  }),
  file: optional(
    text({
      description: 'absolute path',
      pattern: /^\/[!-~]{1,4094}$/,
      expected: 'an absolute path without spaces',
    }),
    {
      doc:
        'A file with the key: 32 to 64 bytes, or `hex:` and digits. It is read at the start and ' +
        'at every reload.',
      meaning: 'the key is given as `hex`',
    },
  ),
  hex: optional(
    secret('64 to 128 hexadecimal digits, an even number', /^(?:[0-9a-fA-F]{2}){32,64}$/),
    { doc: 'The key itself; a file keeps it from those who may read this one.' },
  ),
});

const hmacType = mappingOf({
  keys: required(listOf(keyType, { min: 1, max: hmacKeysMax }), {
    doc: 'All keys that are accepted. A second one is for changing keys without a break.',
  }),
  sendKey: optional(integer({ min: 1, max: 255 }), {
    doc: 'Id of the key that is sent with.',
    meaning: 'the first of `keys`',
  }),
  mode: withDefault(oneOf(['enforce', 'permissive', 'receive-only']), 'enforce', {
    doc:
      '`enforce` takes authenticated advertisements only; `permissive` takes others as well; ' +
      '`receive-only` does not even send any. To introduce keys without a break bring every ' +
      'node to `receive-only`, then to `permissive`, then to `enforce`.',
  }),
  antiReplay: withDefault(oneOf(['time', 'monotonic']), 'time', {
    doc:
      '`time` needs clocks that agree; `monotonic` needs clocks that never go back, not even ' +
      'over a restart.',
  }),
  window: optional(duration({ minMs: 1000, maxMs: 300_000, stepMs: 1000 }), {
    doc: 'How far the clocks may be apart.',
    meaning: 'three advertisement intervals, and at least 5s',
  }),
});

const unicastType = mappingOf({
  peers: optional(listOf(hostAddress, { min: 1, max: unicastPeersMax }), {
    doc:
      'The addresses of the directors. Nobody else is heard. The list may be the same on every ' +
      'node: its own address is left out.',
    meaning: 'the `source` of every other node, or else its address',
  }),
  source: optional(perNode(hostAddress), {
    doc: 'The address that advertisements come from; the interface has it.',
    meaning: "the interface's own, for IPv6 the link-local one if the peers are",
  }),
  ttl: section('Which time to live is accepted.', {
    min: optional(integer({ min: 0, max: 255 }), {
      doc:
        'The least. 255 keeps everybody out who is not on the link. Beside keepalived over IPv6 ' +
        'take 64: its unicast advertisements have a lower hop limit than 255.',
      meaning: '255 of a peer on the link, any of a peer behind routers',
    }),
    max: withDefault(integer({ min: 1, max: 255 }), 255, { doc: 'The greatest.' }),
  }),
});

/** The keys, to be put among the others of a virtual router. */
export const advertisementKeys = {
  version: withDefault(versionType, 3, {
    doc:
      'Version of VRRP. 2 is for peers that know no other: IPv4, whole seconds, and the same ' +
      'interval on every node.',
  }),
  authentication: optional(authenticationType, {
    doc: 'The authentication of version 2, for peers that insist on it.',
    meaning: 'none',
  }),
  hmac: optional(hmacType, {
    doc:
      'Authenticates advertisements with a shared key, as `auth_hmac` of keepalived 2.4.1 and ' +
      'later does, in both versions and both families.',
    meaning: 'advertisements are not authenticated',
  }),
  unicast: optional(unicastType, {
    doc:
      'Sends to the peers one by one, where multicast does not pass: clouds, routed networks. ' +
      '`unicast: {}` takes the addresses of `nodes`.',
    meaning: 'multicast',
  }),
} as const;
