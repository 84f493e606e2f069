import { type BadInput, testBadInputs } from './soundConfig.js';

const badInputs: readonly BadInput[] = [
  {
    title: 'two services of one name',
    changes: [
      ['    servers:\n', '    servers: &servers\n'],
      [
        'weight: 1 }',
        'weight: 1 }\n  - { name: web-http, listen: tcp://172.25.254.100:81, ' +
          'forward: nat, servers: *servers }',
      ],
    ],
    problems: [
      [
        '30:13 services[1].name',
        'services[0] is called web-http already',
        'give each service its own name',
      ],
    ],
  },
  {
    title: 'one listener in two services',
    changes: [
      ['    servers:\n', '    servers: &servers\n'],
      [
        'weight: 1 }',
        'weight: 1 }\n  - { name: other, listen: tcp://172.25.254.100:80, forward: ' +
          'nat, servers: *servers }',
      ],
    ],
    problems: [
      [
        '30:28 services[1].listen',
        'tcp://172.25.254.100:80 belongs to service web-http already',
        'remove one of them',
      ],
    ],
  },
  {
    title: 'one listener twice in a service',
    changes: [
      [
        'listen: tcp://172.25.254.100:80',
        'listen: [tcp://172.25.254.100:80, tcp://172.25.254.100:80]',
      ],
    ],
    problems: [
      [
        '19:39 services[0].listen[1]',
        'tcp://172.25.254.100:80 belongs to this service already',
        'remove one of them',
      ],
    ],
  },
  {
    title: 'one firewall mark in two services',
    changes: [
      ['listen: tcp://172.25.254.100:80', 'fwmark: 66'],
      [
        'weight: 1 }',
        'weight: 1 }\n  - name: other\n    fwmark: 66\n    forward: nat\n' +
          '    servers: [{ address: 192.168.0.10 }]',
      ],
    ],
    problems: [
      [
        '31:13 services[1].fwmark',
        'fwmark 66 for ipv4 belongs to service web-http already',
        'remove one of them',
      ],
    ],
  },
  {
    title: 'a service with neither listener nor mark',
    changes: [['    listen: tcp://172.25.254.100:80\n', '']],
    problems: [
      ['18:5 services[0]', 'needs `listen` or `fwmark`', 'for example listen: tcp://192.0.2.1:80'],
    ],
  },
  {
    title: 'a service with listener and mark',
    changes: [
      ['listen: tcp://172.25.254.100:80', 'listen: tcp://172.25.254.100:80\n    fwmark: 66'],
    ],
    problems: [['20:13 services[0].fwmark', 'cannot stand beside `listen`', 'remove one']],
  },
  {
    title: 'a family beside a listener',
    changes: [
      ['listen: tcp://172.25.254.100:80', 'listen: tcp://172.25.254.100:80\n    family: ipv4'],
    ],
    problems: [
      [
        '20:13 services[0].family',
        'belongs to `fwmark` only',
        'remove it: the address of a listener has its family',
      ],
    ],
  },
  {
    title: 'listeners of two families',
    changes: [
      [
        'listen: tcp://172.25.254.100:80',
        'listen:\n      - tcp://172.25.254.100:80\n      - tcp://[2001:db8::1]:80',
      ],
    ],
    problems: [
      ['20:7 services[0].listen', 'mixes IPv4 and IPv6', 'make one service for each family'],
    ],
  },
  {
    title: 'a listener without port and without persistence',
    changes: [
      ['tcp://172.25.254.100:80', 'tcp://172.25.254.100'],
      ['192.168.0.10:80', '192.168.0.10'],
      ['192.168.0.20:80', '192.168.0.20'],
      ['timeout: 1s', 'timeout: 1s\n      port: 80'],
    ],
    problems: [
      [
        '19:13 services[0].listen',
        'tcp://172.25.254.100 has no port',
        'add a port, or `persistence`, which every port at once needs',
      ],
    ],
  },
  {
    title: 'a server port where the listener has every port',
    changes: [
      ['tcp://172.25.254.100:80', 'tcp://172.25.254.100\n    persistence: {}'],
      ['192.168.0.20:80', '192.168.0.20'],
      ['timeout: 1s', 'timeout: 1s\n      port: 80'],
    ],
    problems: [
      [
        '30:20 services[0].servers[0].address',
        'port 80 cannot stand for every port of the listener',
        'leave the port out',
      ],
    ],
  },
];

testBadInputs(badInputs);
