import { type BadInput, testBadInputs } from './soundConfig.js';

const kinds =
  'tcp, tls, http, https, udp, dns, icmp, smtp, imap, pop3, ftp, redis, mysql, postgres, grpc, ' +
  'script, file, agent, bfd';

const badInputs: readonly BadInput[] = [
  {
    title: 'a check without type',
    changes: [['      type: http\n', '']],
    problems: [['23:7 services[0].check.type', 'is required and missing', `one of ${kinds}`]],
  },
  {
    title: 'a check of an unknown type',
    changes: [['type: http', 'type: htpp']],
    problems: [
      ['23:13 services[0].check.type', `must be one of ${kinds}, got htpp`, 'did you mean http?'],
    ],
  },
  {
    title: 'a key of another type of check',
    changes: [['type: http', 'type: tcp']],
    problems: [['24:7 services[0].check.path', 'belongs to type http, and this is type tcp']],
  },
  {
    title: 'an expectation outside of expect',
    changes: [['path: /healthz', 'status: 200']],
    problems: [
      ['24:7 services[0].check.status', 'unknown key: write it as `expect: { status: ... }`'],
    ],
  },
  {
    title: 'a path that does not start with a slash',
    changes: [['path: /healthz', 'path: healthz']],
    problems: [
      [
        '24:13 services[0].check.path',
        'must be a path that starts with / and has no spaces, got healthz',
      ],
    ],
  },
  {
    title: 'a status that is no code',
    changes: [['path: /healthz', 'expect: { status: [200, ok] }']],
    problems: [
      [
        '24:31 services[0].check.expect.status[1]',
        'must be a status code or a range such as 200-299, got ok',
      ],
    ],
  },
  {
    title: 'a status range that runs backwards',
    changes: [['path: /healthz', 'expect: { status: 299-200 }']],
    problems: [
      ['24:25 services[0].check.expect.status', 'must not end before it starts, got 299-200'],
    ],
  },
  {
    title: 'a status beyond the last class',
    changes: [['path: /healthz', 'expect: { status: 700 }']],
    problems: [['24:25 services[0].check.expect.status', 'must lie within 100 and 599, got 700']],
  },
  {
    title: 'a regular expression that is none',
    changes: [['path: /healthz', 'expect: { bodyMatches: "(" }']],
    problems: [
      [
        '24:30 services[0].check.expect.bodyMatches',
        'must be a regular expression, got "("',
        '/(/u: Unterminated group',
      ],
    ],
  },
  {
    title: 'a body text that is empty',
    changes: [['path: /healthz', 'expect: { bodyContains: "" }']],
    problems: [
      [
        '24:31 services[0].check.expect.bodyContains',
        'must not be empty: every body contains nothing',
      ],
    ],
  },
  {
    title: 'a netmask with a hole',
    changes: [
      ['    scheduler: wrr\n', '    scheduler: wrr\n    persistence: { netmask: 255.0.255.0 }\n'],
    ],
    problems: [
      [
        '21:29 services[0].persistence.netmask',
        'must have all its ones before its zeros, got 255.0.255.0',
      ],
    ],
  },
  {
    title: 'a netmask for IPv6',
    changes: [
      ['    scheduler: wrr\n', '    scheduler: wrr\n    persistence: { netmask: "ffff::" }\n'],
    ],
    problems: [
      [
        '21:29 services[0].persistence.netmask',
        'must be a dotted IPv4 netmask such as 255.255.255.0, got ffff::',
        'for IPv6 use prefixLength',
      ],
    ],
  },
  {
    title: 'a persistence of part of a second',
    changes: [
      ['    scheduler: wrr\n', '    scheduler: wrr\n    persistence: { timeout: 1500ms }\n'],
    ],
    problems: [['21:29 services[0].persistence.timeout', 'must be a multiple of 1s, got 1500ms']],
  },
  {
    title: 'a sync group that is not multicast',
    changes: [['cluster: web', 'cluster: web\nconnectionSync: { group: 10.0.0.1 }']],
    problems: [
      [
        '2:26 connectionSync.group',
        'must be a multicast address, got 10.0.0.1',
        'for example 224.0.0.81',
      ],
    ],
  },
  {
    title: 'a sync message that would wrap its counter',
    changes: [['cluster: web', 'cluster: web\nconnectionSync: { maxLength: 9189 }']],
    problems: [['2:30 connectionSync.maxLength', 'must be at most 9188, got 9189']],
  },
  {
    title: 'a socket path that is not absolute',
    changes: [['cluster: web', 'cluster: web\napi: { socket: tandem.sock }']],
    problems: [
      [
        '2:16 api.socket',
        'must be an absolute path of at most 107 characters without spaces, got ' + 'tandem.sock',
      ],
    ],
  },
  {
    title: 'a node name with a blank',
    changes: [
      ['  lb2:', '  "lb 2":'],
      ['lb1: 150, lb2: 100', 'lb1: 150, "lb 2": 100'],
      ['lb1: 150, lb2: 100', 'lb1: 150, "lb 2": 100'],
    ],
    problems: [
      [
        '4:3 nodes["lb 2"]',
        'must be a name of letters, digits, dots, dashes and underscores, at most ' +
          '63, got "lb 2"',
      ],
    ],
  },
  {
    title: 'two wrong values in the order of the file',
    changes: [
      ['vrid: 51', 'vrid: 0'],
      ['interval: 2s', 'interval: 2'],
    ],
    problems: [
      ['7:11 virtualRouters[0].vrid', 'must be at least 1, got 0'],
      ['25:17 services[0].check.interval', 'needs a unit, got 2', 'for example 2s or 2ms'],
    ],
  },
];

testBadInputs(badInputs);
