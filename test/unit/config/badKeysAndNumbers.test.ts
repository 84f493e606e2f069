import { type BadInput, testBadInputs } from './soundConfig.js';

const badInputs: readonly BadInput[] = [
  {
    title: 'an unknown key at the top',
    changes: [['cluster: web', 'cluster: web\nclutser: web']],
    problems: [['2:1 clutser', 'unknown key', 'did you mean cluster?']],
  },
  {
    title: 'an unknown key with nothing near it',
    changes: [['cluster: web', 'cluster: web\nzzz: 1']],
    problems: [
      [
        '2:1 zzz',
        'unknown key',
        'known here: cluster, nodes, preset, virtualRouters, syncGroups, trackers, hooks, bfd, ' +
          'services, health, ipvs, overrides, reload, peering, connectionSync, system, api, ' +
          'guard, realtime, log',
      ],
    ],
  },
  {
    title: 'an unknown key deep inside, misspelt',
    changes: [['interval: 2s', 'intervall: 2s']],
    problems: [['25:7 services[0].check.intervall', 'unknown key', 'did you mean interval?']],
  },
  {
    title: 'a key in another letter case',
    changes: [['vrid: 51', 'VRID: 51']],
    problems: [
      ['6:5 virtualRouters[0].vrid', 'is required and missing', 'type: integer, 1 to 255'],
      ['7:5 virtualRouters[0].VRID', 'unknown key', 'did you mean vrid?'],
    ],
  },
  {
    title: 'a missing required key',
    changes: [['    vrid: 51\n', '']],
    problems: [
      ['6:5 virtualRouters[0].vrid', 'is required and missing', 'type: integer, 1 to 255'],
    ],
  },
  {
    title: 'a missing cluster',
    changes: [['cluster: web\n', '']],
    problems: [
      [
        '1:1 cluster',
        'is required and missing',
        'type: name (letters, digits, `.`, `_`, `-`; at most 63)',
      ],
    ],
  },
  {
    title: 'several missing keys of one mapping',
    changes: [['address: 172.25.254.101, interface: eth0', '']],
    problems: [
      ['3:8 nodes.lb1.address', 'is required and missing', 'type: IPv4 address'],
      ['3:8 nodes.lb1.interface', 'is required and missing', 'type: name of a network interface'],
    ],
  },
  {
    title: 'a key without a value',
    changes: [['scheduler: wrr', 'scheduler:']],
    problems: [['20:5 services[0].scheduler', 'has no value', 'give it one, or remove it']],
  },
  {
    title: 'a required key without a value',
    changes: [['vrid: 51', 'vrid:']],
    problems: [['7:5 virtualRouters[0].vrid', 'has no value', 'give it a value']],
  },
  {
    title: 'text where a number belongs',
    changes: [['vrid: 51', 'vrid: first']],
    problems: [['7:11 virtualRouters[0].vrid', 'must be an integer, got first']],
  },
  {
    title: 'a number in quotes',
    changes: [['vrid: 51', 'vrid: "51"']],
    problems: [
      ['7:11 virtualRouters[0].vrid', 'must be an integer, got "51"', 'remove the quotes'],
    ],
  },
  {
    title: 'a fraction where an integer belongs',
    changes: [['weight: 2', 'weight: 1.5']],
    problems: [['28:45 services[0].servers[0].weight', 'must be an integer, got 1.5']],
  },
  {
    title: 'a number below its range',
    changes: [['vrid: 51', 'vrid: 0']],
    problems: [['7:11 virtualRouters[0].vrid', 'must be at least 1, got 0']],
  },
  {
    title: 'a number above its range',
    changes: [['vrid: 51', 'vrid: 256']],
    problems: [['7:11 virtualRouters[0].vrid', 'must be at most 255, got 256']],
  },
  {
    title: 'priority 0, which means resigning on the wire',
    changes: [['lb1: 150', 'lb1: 0']],
    problems: [['8:22 virtualRouters[0].priority.lb1', 'must be at least 1, got 0']],
  },
  {
    title: 'a negative weight',
    changes: [['weight: 2', 'weight: -1']],
    problems: [['28:45 services[0].servers[0].weight', 'must be at least 0, got -1']],
  },
  {
    title: 'a number where text belongs',
    changes: [['cluster: web', 'cluster: 7']],
    problems: [['1:10 cluster', 'must be text, got 7', 'put it in quotes: "7"']],
  },
  {
    title: 'a name with a blank',
    changes: [['name: web-http', 'name: web http']],
    problems: [
      [
        '18:11 services[0].name',
        'must be a name of letters, digits, dots, dashes and underscores, at most ' +
          '63, got "web http"',
      ],
    ],
  },
  {
    title: 'a YAML 1.1 boolean',
    changes: [['    scheduler: wrr\n', '    scheduler: wrr\n    onePacket: yes\n']],
    problems: [['21:16 services[0].onePacket', 'must be true or false, got yes', 'write true']],
  },
  {
    title: 'a duration without unit',
    changes: [['interval: 2s', 'interval: 2']],
    problems: [
      ['25:17 services[0].check.interval', 'needs a unit, got 2', 'for example 2s or 2ms'],
    ],
  },
  {
    title: 'a duration with an unknown unit',
    changes: [['interval: 2s', 'interval: 2 seconds']],
    problems: [
      [
        '25:17 services[0].check.interval',
        'must be a duration such as 250ms, 1s, 5m or 1h, got "2 seconds"',
      ],
    ],
  },
  {
    title: 'a duration that is too short',
    changes: [['interval: 2s', 'interval: 10ms']],
    problems: [['25:17 services[0].check.interval', 'must be at least 100ms, got 10ms']],
  },
  {
    title: 'a duration that is too long',
    changes: [['interval: 2s', 'interval: 2h']],
    problems: [['25:17 services[0].check.interval', 'must be at most 1h, got 2h']],
  },
  {
    title: 'an advertisement interval that is no whole number of centiseconds',
    changes: [['vrid: 51', 'vrid: 51\n    advertInterval: 105ms']],
    problems: [['8:21 virtualRouters[0].advertInterval', 'must be a multiple of 10ms, got 105ms']],
  },
  {
    title: 'an advertisement interval that does not fit 12 bits',
    changes: [['vrid: 51', 'vrid: 51\n    advertInterval: 41s']],
    problems: [['8:21 virtualRouters[0].advertInterval', 'must be at most 40.95s, got 41s']],
  },
  {
    title: 'an advertisement interval of less than a centisecond',
    changes: [['vrid: 51', 'vrid: 51\n    advertInterval: 5ms']],
    problems: [['8:21 virtualRouters[0].advertInterval', 'must be at least 10ms, got 5ms']],
  },
];

testBadInputs(badInputs);
