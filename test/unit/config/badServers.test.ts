import { type BadInput, testBadInputs } from './soundConfig.js';

const badInputs: readonly BadInput[] = [
  {
    title: 'one server twice in a service',
    changes: [['192.168.0.20:80', '192.168.0.10:80']],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        '192.168.0.10:80 is servers[0] already',
        'a server is in a service once; give it a higher weight instead',
      ],
    ],
  },
  {
    title: 'one server twice, once with the port that it has anyway',
    changes: [['192.168.0.20:80', '192.168.0.10']],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        '192.168.0.10:80 is servers[0] already',
        'a server is in a service once; give it a higher weight instead',
      ],
    ],
  },
  {
    title: 'a server of another family',
    changes: [['192.168.0.20:80', '"[2001:db8::20]:80"']],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        'is IPv6, and the service is IPv4',
        'server and listener are of one family',
      ],
    ],
  },
  {
    title: 'a server that is the virtual address',
    changes: [['192.168.0.20:80', '172.25.254.100:8080']],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        '172.25.254.100 is the virtual address itself',
        "use the server's own address",
      ],
    ],
  },
  {
    title: 'direct routing to another port',
    changes: [
      ['forward: nat', 'forward: dr'],
      ['192.168.0.20:80', '192.168.0.20:8080'],
    ],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        'dr keeps port 80, got port 8080',
        'use 80 or leave it out',
      ],
    ],
  },
  {
    title: 'a tunnel to another port on one server',
    changes: [['192.168.0.20:80, weight: 1', '192.168.0.20:8080, forward: tunnel']],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        'tunnel keeps port 80, got port 8080',
        'use 80 or leave it out',
      ],
    ],
  },
  {
    title: 'direct routing by mark to a port',
    changes: [
      ['listen: tcp://172.25.254.100:80', 'fwmark: 66'],
      ['forward: nat', 'forward: dr'],
      ['192.168.0.20:80', '192.168.0.20'],
      ['timeout: 1s', 'timeout: 1s\n      port: 80'],
    ],
    problems: [
      [
        '29:20 services[0].servers[0].address',
        'dr keeps the port of the packet, got port 80',
        'leave the port out',
      ],
    ],
  },
  {
    title: 'a server without port where the listeners have several',
    changes: [
      [
        'listen: tcp://172.25.254.100:80',
        'listen: [tcp://172.25.254.100:80, tcp://172.25.254.100:443]',
      ],
      ['192.168.0.20:80', '192.168.0.20'],
    ],
    problems: [
      [
        '29:20 services[0].servers[1].address',
        'cannot take the port of the listeners, which are 80 and 443',
        'name the port, or make one service for each',
      ],
    ],
  },
  {
    title: 'direct routing where the listeners have several ports',
    changes: [
      [
        'listen: tcp://172.25.254.100:80',
        'listen: [tcp://172.25.254.100:80, tcp://172.25.254.100:443]',
      ],
      ['weight: 2', 'forward: dr'],
    ],
    problems: [
      [
        '28:20 services[0].servers[0].address',
        'cannot take the port of the listeners, which are 80 and 443',
        'make one service for each port, or use a firewall mark',
      ],
    ],
  },
  {
    title: 'a lower threshold above the upper one',
    changes: [['weight: 2', 'upperThreshold: 10, lowerThreshold: 11']],
    problems: [
      ['28:73 services[0].servers[0].lowerThreshold', 'must not exceed upperThreshold 10, got 11'],
    ],
  },
  {
    title: 'a lower threshold without an upper one',
    changes: [['weight: 2', 'lowerThreshold: 11']],
    problems: [
      [
        '28:53 services[0].servers[0].lowerThreshold',
        'must not exceed upperThreshold 0, got 11',
        'give upperThreshold as well',
      ],
    ],
  },
  {
    title: 'one-packet scheduling of TCP',
    changes: [['    scheduler: wrr\n', '    scheduler: wrr\n    onePacket: true\n']],
    problems: [
      [
        '21:16 services[0].onePacket',
        'is for UDP and firewall marks only, and tcp://172.25.254.100:80 is neither',
        'remove it',
      ],
    ],
  },
  {
    title: 'a flag of another scheduler',
    changes: [['    scheduler: wrr\n', '    scheduler: wrr\n    schedulerFlags: [sh-port]\n']],
    problems: [
      [
        '21:22 services[0].schedulerFlags[0]',
        'sh-port belongs to scheduler sh, and this is wrr',
        'remove it',
      ],
    ],
  },
  {
    title: 'a netmask beside a prefix length',
    changes: [
      [
        '    scheduler: wrr\n',
        '    scheduler: wrr\n    persistence: { netmask: 255.255.255.0, ' + 'prefixLength: 24 }\n',
      ],
    ],
    problems: [
      [
        '21:29 services[0].persistence.netmask',
        'cannot stand beside prefixLength',
        'they say the same in two ways',
      ],
    ],
  },
  {
    title: 'a prefix length longer than the address',
    changes: [
      ['    scheduler: wrr\n', '    scheduler: wrr\n    persistence: { prefixLength: 33 }\n'],
    ],
    problems: [['21:34 services[0].persistence.prefixLength', 'must be 0 to 32 for IPv4, got 33']],
  },
  {
    title: 'a check without a port where the servers have none',
    changes: [
      ['listen: tcp://172.25.254.100:80', 'fwmark: 66'],
      ['192.168.0.20:80', '192.168.0.20'],
    ],
    problems: [
      [
        '23:7 services[0].check',
        'needs `port`, because servers[1] has none to check',
        'for example `port: 80`',
      ],
    ],
  },
  {
    title: 'a body expected of HEAD',
    changes: [['path: /healthz', 'method: HEAD\n      expect: { bodyContains: ok }']],
    problems: [
      [
        '25:31 services[0].check.expect.bodyContains',
        'cannot hold: the answer to HEAD has no body',
        'use method GET',
      ],
    ],
  },
  {
    title: 'a body expected of HEAD in a further request',
    changes: [
      [
        'path: /healthz',
        `requests: [{ path: /a, method: HEAD, expect: { bodyDigest: md5:${'0'.repeat(32)} } }]`,
      ],
    ],
    problems: [
      [
        '24:66 services[0].check.requests[0].expect.bodyDigest',
        'cannot hold: the answer to HEAD has no body',
        'use method GET',
      ],
    ],
  },
];

testBadInputs(badInputs);
