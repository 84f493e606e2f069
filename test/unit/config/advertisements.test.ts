import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfigText } from '../../../src/config/checkText.js';
import type { VirtualRouterSpec } from '../../../src/vrrp/protocol.js';
import { advertisedAddresses } from '../../../src/vrrp/virtualRouter.js';
import { type BadInput, changed, problemsOf, testBadInputs, warningsOf } from './soundConfig.js';

const outside = 'addresses: [172.25.254.100/24]';
/** Keys that are put before the addresses of the first router, so that they begin on line 9. */
function withKeys(...lines: readonly string[]): BadInput['changes'] {
  return [[outside, [...lines, outside].join('\n    ')]];
}

/** The first router of IPv6, with more keys; an excluded address holds the listener of IPv4. */
function overIpv6(...lines: readonly string[]): BadInput['changes'] {
  const addresses = 'addresses: ["fe80::5e:33/64", "2001:db8::100/64"]';
  const excluded = 'excludedAddresses: [172.25.254.100/24]';
  return [[outside, [...lines, addresses, excluded].join('\n    ')]];
}

const digits = '00'.repeat(32);

testBadInputs([
  {
    title: 'a version that does not exist',
    changes: withKeys('version: 4'),
    problems: [['9:14 virtualRouters[0].version', 'must be 2 or 3, got 4']],
  },
  {
    title: 'version 2 over IPv6',
    changes: overIpv6('version: 2'),
    problems: [
      [
        '9:14 virtualRouters[0].version',
        'version 2 has no IPv6',
        'remove it: version 3 is the default',
      ],
    ],
  },
  {
    title: 'an interval that version 2 cannot say',
    changes: withKeys('version: 2', 'advertInterval: 250ms'),
    problems: [
      [
        '10:21 virtualRouters[0].advertInterval',
        'version 2 has whole seconds only',
        'for example 1s',
      ],
    ],
  },
  {
    title: 'a password in version 3',
    changes: withKeys('authentication: { type: simple, password: s3cret }'),
    problems: [
      [
        '9:21 virtualRouters[0].authentication',
        'belongs to version 2, and this router speaks version 3',
        'use `hmac`, which both have',
      ],
    ],
  },
  {
    title: 'the Authentication Header, which is not spoken',
    changes: withKeys('version: 2', 'authentication: { type: ah, password: s3cret }'),
    problems: [
      [
        '10:29 virtualRouters[0].authentication.type',
        'ah (the IPsec Authentication Header) is not spoken: RFC 3768 removed it; use `hmac` of ' +
          'the virtual router, or `simple` and a password for peers without it',
      ],
    ],
  },
  {
    title: "the Authentication Header in keepalived's words",
    changes: withKeys('version: 2', 'authentication: { type: AH, password: s3cret }'),
    problems: [
      [
        '10:29 virtualRouters[0].authentication.type',
        'ah (the IPsec Authentication Header) is not spoken: RFC 3768 removed it; use `hmac` of ' +
          'the virtual router, or `simple` and a password for peers without it',
      ],
    ],
  },
  {
    title: "a password in keepalived's words",
    changes: withKeys('version: 2', 'authentication: { type: PASS, password: s3cret }'),
    problems: [
      ['10:29 virtualRouters[0].authentication.type', "keepalived's PASS is `simple` here"],
    ],
  },
  {
    title: 'a password that is cut by the packet',
    changes: withKeys('version: 2', 'authentication: { type: simple, password: ninechars }'),
    problems: [
      [
        '10:47 virtualRouters[0].authentication.password',
        'must be text of at most 8 characters without spaces',
      ],
    ],
  },
  {
    title: 'an address of the other family among those that are advertised',
    changes: [[outside, 'addresses: [172.25.254.100/24, "2001:db8::1/64"]']],
    problems: [
      [
        '9:36 virtualRouters[0].addresses[1]',
        '2001:db8::1 is not of IPv4, as the addresses before it are',
        'put it into excludedAddresses, or into a virtual router of its own, which may have the ' +
          'same VRID',
      ],
    ],
  },
  {
    title: 'an excluded address that another router holds',
    changes: withKeys('excludedAddresses: [192.168.0.100/24]'),
    problems: [
      [
        '15:17 virtualRouters[1].addresses[0]',
        '192.168.0.100 is held by virtual router outside already',
        'an address is in one virtual router',
      ],
    ],
  },
  {
    title: 'a key that is given in no way',
    changes: withKeys('hmac: { keys: [{ id: 1 }] }'),
    problems: [
      [
        '9:20 virtualRouters[0].hmac.keys[0]',
        'needs `file` or `hex`',
        'for example file: /etc/tandem/vrrp.key',
      ],
    ],
  },
  {
    title: 'a key that is given in two ways',
    changes: withKeys(`hmac: { keys: [{ id: 1, file: /k, hex: "${digits}" }] }`),
    problems: [
      ['9:44 virtualRouters[0].hmac.keys[0].hex', 'cannot stand beside `file`', 'remove one'],
    ],
  },
  {
    title: 'two keys of one id',
    changes: withKeys('hmac: { keys: [{ id: 1, file: /a }, { id: 1, file: /b }] }'),
    problems: [
      [
        '9:47 virtualRouters[0].hmac.keys[1].id',
        'keys[0] has id 1 already',
        'give each key its own id',
      ],
    ],
  },
  {
    title: 'a key to send with that is not there',
    changes: withKeys('hmac: { keys: [{ id: 1, file: /a }], sendKey: 2 }'),
    problems: [['9:51 virtualRouters[0].hmac.sendKey', 'there is no key with id 2', 'there are 1']],
  },
  {
    title: 'a key that is too short',
    changes: withKeys('hmac: { keys: [{ id: 1, hex: "00ff" }] }'),
    problems: [
      [
        '9:34 virtualRouters[0].hmac.keys[0].hex',
        'must be 64 to 128 hexadecimal digits, an even number',
      ],
    ],
  },
  {
    title: 'IPv6 peers that nobody has named',
    changes: overIpv6('unicast: {}'),
    problems: [
      [
        '9:14 virtualRouters[0].unicast',
        'does not tell the IPv6 addresses of the peers',
        'give `peers`, or a `source` for each node',
      ],
    ],
  },
  {
    title: 'peers of another family',
    changes: withKeys('unicast: { peers: ["fe80::1"] }'),
    problems: [
      [
        '9:24 virtualRouters[0].unicast.peers[0]',
        'must be of IPv4 as the addresses of the router are, got fe80::1',
      ],
    ],
  },
  {
    title: 'a source for some of the nodes',
    changes: withKeys('unicast: { source: { lb1: 172.25.254.101 } }'),
    problems: [
      ['9:24 virtualRouters[0].unicast.source', 'lacks a value for lb2', 'give one for every node'],
    ],
  },
  {
    title: 'a range of TTL without anything in it',
    changes: withKeys('unicast: { ttl: { min: 255, max: 254 } }'),
    problems: [['9:28 virtualRouters[0].unicast.ttl.min', 'must not be above max, which is 254']],
  },
  {
    title: 'the same VRID twice over the same family',
    changes: [['vrid: 52\n    interface: eth1', 'vrid: 51']],
    problems: [
      [
        '11:11 virtualRouters[1].vrid',
        '51 is used by virtual router outside on eth0 of lb1',
        'a VRID is unique on an interface',
      ],
    ],
  },
]);

function routerOf(changes: BadInput['changes'], node = 0): VirtualRouterSpec {
  const text = changed(...changes);
  assert.deepEqual(problemsOf(text), []);
  const router = checkConfigText(text).configs[node]?.virtualRouters[0];
  assert.ok(router !== undefined);
  return router;
}

test('the same VRID over both families names two virtual routers', () => {
  const router = [
    'vrid: 51',
    'priority: { lb1: 150, lb2: 100 }',
    'addresses: ["fe80::5e:33/64"]',
  ].join('\n    ');
  const changes = [['syncGroups:', `  - name: outside6\n    ${router}\nsyncGroups:`]] as const;
  assert.deepEqual(problemsOf(changed(...changes)), []);
});

test('excluded addresses move with the others and are not advertised', () => {
  const router = routerOf(overIpv6());
  assert.deepEqual(
    router.addresses.map(({ prefix }) => prefix.address),
    ['fe80::5e:33', '2001:db8::100', '172.25.254.100'],
  );
  assert.deepEqual(advertisedAddresses(router), ['fe80::5e:33', '2001:db8::100']);
});

test('of more addresses than fit an advertisement the first are advertised, with a warning', () => {
  const many = Array.from({ length: 300 }, (_, index) => `10.0.${index >> 7}.${(index & 127) + 1}`);
  const changes = [['addresses: [192.168.0.100/24]', `addresses: [${many.join(', ')}]`]] as const;
  const [warning = ''] = warningsOf(changed(...changes));
  assert.match(warning, /only the first 255 of 300 fit an advertisement/);
  const router = checkConfigText(changed(...changes)).configs[0]?.virtualRouters[1];
  assert.equal(router?.addresses.length, 300);
  assert.equal(router === undefined ? 0 : advertisedAddresses(router).length, 255);
});

test('a form of the checksum is no choice in version 2 and over IPv6', () => {
  for (const changes of [withKeys('version: 2', 'checksum: plain'), overIpv6('checksum: plain')]) {
    const [warning = ''] = warningsOf(changed(...changes));
    assert.match(warning, /checksum: has no effect: .* has one form of the checksum/);
  }
});

test('version 2 with a password is what it says', () => {
  const keys = ['version: 2', 'authentication: { type: simple, password: s3cret }'];
  const router = routerOf(withKeys(...keys));
  assert.equal(router.version, 2);
  assert.equal(router.password, 's3cret');
});

test('unicast without anything more goes to the other nodes', () => {
  for (const [node, peer] of ['172.25.254.102', '172.25.254.101'].entries()) {
    const router = routerOf(withKeys('unicast: {}'), node);
    assert.deepEqual(router.unicast, { peers: [peer], ttlMax: 255 });
  }
});

test('a list of peers may be the same on every node, and sources are peers of the others', () => {
  const peers = 'unicast: { peers: [172.25.254.101, 172.25.254.102, 172.25.254.103] }';
  assert.deepEqual(routerOf(withKeys(peers), 1).unicast?.peers, [
    '172.25.254.101',
    '172.25.254.103',
  ]);
  const sources =
    'unicast: { source: { lb1: "2001:db8::1", lb2: "2001:db8::2" }, ttl: { min: 250 } }';
  assert.deepEqual(routerOf(overIpv6(sources)).unicast, {
    peers: ['2001:db8::2'],
    source: '2001:db8::1',
    ttlMin: 250,
    ttlMax: 255,
  });
});

test('the window of clocks follows the interval unless it is given', () => {
  const keys = `hmac: { keys: [{ id: 7, hex: "${digits}" }, { id: 8, file: /k }] }`;
  const router = routerOf(withKeys(keys));
  assert.deepEqual(router.hmac, {
    keys: [
      { id: 7, source: { kind: 'hex', digits } },
      { id: 8, source: { kind: 'file', path: '/k' } },
    ],
    sendKeyId: 7,
    mode: 'enforce',
    antiReplay: 'time',
    windowSeconds: 5,
  });
  assert.equal(routerOf(withKeys(keys, 'advertInterval: 4s')).hmac?.windowSeconds, 12);
  const given = keys.replace('] }', '], window: 60s, sendKey: 8, mode: permissive }');
  const { windowSeconds, sendKeyId, mode } = routerOf(withKeys(given)).hmac ?? {};
  assert.deepEqual([windowSeconds, sendKeyId, mode], [60, 8, 'permissive']);
});
