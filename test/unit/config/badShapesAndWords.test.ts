import { type BadInput, testBadInputs } from './soundConfig.js';

const badInputs: readonly BadInput[] = [
  {
    title: 'a list where a mapping belongs',
    changes: [
      [
        '    check:\n      type: http\n      path: /healthz\n      interval: 2s\n' +
          '      timeout: 1s\n',
        '    check: [http]\n',
      ],
    ],
    problems: [['22:12 services[0].check', 'must be a mapping, got a list']],
  },
  {
    title: 'a scalar where a section belongs',
    changes: [['cluster: web', 'cluster: web\nlog: debug']],
    problems: [['2:6 log', 'must be a mapping, got debug']],
  },
  {
    title: 'a section without a value',
    changes: [['cluster: web', 'cluster: web\nlog:']],
    problems: [['2:1 log', 'must be a mapping, got nothing']],
  },
  {
    title: 'a mapping where a list belongs',
    changes: [
      ['virtualRouters:\n  - name: outside', 'virtualRouters:\n    name: outside'],
      [
        '  - name: inside\n    vrid: 52\n    interface: eth1\n' +
          '    priority: { lb1: 150, lb2: 100 }\n    addresses: [192.168.0.100/24]\n',
        '',
      ],
      ['members: [outside, inside]', 'members: [outside]'],
    ],
    problems: [
      ['6:5 virtualRouters', 'must be a list, got a mapping', 'start each element with `- `'],
    ],
  },
  {
    title: 'a list where one value belongs',
    changes: [['cluster: web', 'cluster: [web]']],
    problems: [['1:10 cluster', 'must be text, got a list']],
  },
  {
    title: 'an empty list that must not be',
    changes: [['addresses: [172.25.254.100/24]', 'addresses: []']],
    problems: [['9:16 virtualRouters[0].addresses', 'must have at least one element']],
  },
  {
    title: 'an element without a value',
    changes: [['addresses: [172.25.254.100/24]', 'addresses: [172.25.254.100/24, ]\n  - \n']],
    problems: [['10:5 virtualRouters[1]', 'has no value', 'give it one, or remove it']],
  },
  {
    title: 'a scalar instead of a server',
    changes: [['- { address: 192.168.0.20:80, weight: 1 }', '- 192.168.0.20:80']],
    problems: [['29:9 services[0].servers[1]', 'must be a mapping, got 192.168.0.20:80']],
  },
  {
    title: 'a misspelt word',
    changes: [['scheduler: wrr', 'scheduler: wrrr']],
    problems: [
      [
        '20:16 services[0].scheduler',
        'must be one of rr, wrr, lc, wlc, sed, nq, fo, ovf, sh, mh, dh, lblc, ' +
          'lblcr, twos, none, got wrrr',
        'did you mean wrr?',
      ],
    ],
  },
  {
    title: 'a word of another program',
    changes: [['forward: nat', 'forward: masquerade']],
    problems: [
      ['21:14 services[0].forward', 'must be one of nat, dr, tunnel, got masquerade: write nat'],
    ],
  },
  {
    title: 'a log level that is none',
    changes: [['cluster: web', 'cluster: web\nlog: { level: verbose }']],
    problems: [['2:15 log.level', 'must be one of error, warn, info, debug, got verbose']],
  },
  {
    title: 'the relay without the channel that carries it',
    changes: [['cluster: web', 'cluster: web\nconnectionSync: { mode: relay }']],
    problems: [
      [
        '2:25 connectionSync.mode',
        'relay needs `peering`, whose channel carries it',
        'add peering with a key',
      ],
    ],
  },
  {
    title: 'ports of the relay that the kernel does not have',
    changes: [
      [
        'cluster: web',
        'cluster: web\npeering: { key: { file: /k } }\n' +
          'connectionSync: { mode: relay, ports: 3, group: ff02::81 }',
      ],
    ],
    problems: [
      ['3:39 connectionSync.ports', 'must be a power of two, got 3', 'the kernel takes no other'],
      [
        '3:49 connectionSync.group',
        'must be an IPv4 group with mode relay',
        'for example 224.0.0.81',
      ],
    ],
  },
  {
    title: 'a sync mode that YAML reads as a boolean',
    changes: [['cluster: web', 'cluster: web\nconnectionSync: { mode: false }']],
    problems: [
      [
        '2:25 connectionSync.mode',
        'must be one of relay, kernel, off, got false',
        'write the word itself, not true or false',
      ],
    ],
  },
  {
    title: 'peering without a key',
    changes: [['cluster: web', 'cluster: web\npeering: { port: 8850 }']],
    problems: [['2:10 peering.key', 'is required and missing', 'type: mapping']],
  },
];

testBadInputs(badInputs);
