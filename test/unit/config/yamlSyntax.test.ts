import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configBytesMax } from '../../../src/config/yamlSource.js';
import { changed, problemsOf, soundConfig } from './soundConfig.js';

const nine = (element: string): string => `[${Array(9).fill(element).join(', ')}]`;

const badTexts: readonly (readonly [title: string, text: string, problems: readonly string[]])[] = [
  ['an empty file', '', ['1:1 the file is empty (conf/minimal.yaml is a start)']],
  ['a file of comments', '# no\n', ['1:1 the file is empty (conf/minimal.yaml is a start)']],
  ['a file that is a list', '- a\n', ['1:1 must be a mapping, got a list']],
  ['a file that is a word', 'hello\n', ['1:1 must be a mapping, got hello']],
  [
    'a tab as indentation',
    'cluster: web\nnodes:\n\tlb1: {}\n',
    ['3:1 YAML syntax: a tab stands where the indentation is (indent with spaces)'],
  ],
  [
    'two syntax errors on two lines',
    changed(['cluster: web', 'cluster: web: x'], ['scheduler: wrr', 'scheduler: %wrr']),
    [
      '1:10 YAML syntax: Nested mappings are not allowed in compact mappings',
      '20:16 YAML syntax: Plain value cannot start with directive indicator character %',
    ],
  ],
  [
    'a quote that is not closed',
    changed(['cluster: web', 'cluster: "web']),
    ['30:1 YAML syntax: Missing closing "quote'],
  ],
  [
    'a key that is given twice',
    changed(['scheduler: wrr', 'scheduler: wrr\n    scheduler: rr']),
    ['21:5 the key scheduler is given twice, first on line 20 (keep one of them)'],
  ],
  [
    'a key that is given twice, and a wrong value elsewhere',
    changed(['vrid: 51', 'vrid: 0'], ['scheduler: wrr', 'scheduler: wrr\n    scheduler: rr']),
    [
      '7:11 virtualRouters[0].vrid: must be at least 1, got 0',
      '21:5 the key scheduler is given twice, first on line 20 (keep one of them)',
    ],
  ],
  [
    'a second document',
    `${soundConfig}---\ncluster: other\n`,
    ['30:1 YAML syntax: a second document starts here (remove the line `---`)'],
  ],
  [
    'an alias without anchor',
    changed(['name: web-http', 'name: *web']),
    ['18:11 there is no anchor &web before this alias (text that starts with * needs quotes)'],
  ],
  [
    'a tag',
    changed(['name: web-http', 'name: !secret web']),
    ['18:11 YAML syntax: tags (!) are not used here (text that starts with ! needs quotes)'],
  ],
  [
    'a key that is a list',
    `? [a, b]\n: 1\n${soundConfig}`,
    ['1:3 YAML syntax: a key must be plain text'],
  ],
  [
    'a merge key',
    changed(['    check:', '    <<: 1\n    check:']),
    [
      '22:5 services[0]["<<"]: merge keys are not supported ' +
        '(repeat the whole value with an alias: `check: *webCheck`)',
    ],
  ],
  [
    'aliases that multiply',
    `a: &a ${nine('x')}\nb: &b ${nine('*a')}\nc: &c ${nine('*b')}\nd: &d ${nine('*c')}\n` +
      `e: &e ${nine('*d')}\nf: ${nine('*e')}\n`,
    [
      '1:1 the YAML aliases cannot be followed: ' +
        'Excessive alias count indicates a resource exhaustion attack',
    ],
  ],
  [
    'an alias of itself',
    changed(['cluster: web', 'cluster: &a [*a]']),
    ['1:13 cluster: must be text, got a list'],
  ],
  ['a text nested without end', `a: ${'['.repeat(20_000)}`, ['1:1 the YAML is nested too deeply']],
  [
    'a text that is too large',
    `${soundConfig}${'#'.repeat(configBytesMax)}`,
    [`1:1 the file is larger than ${configBytesMax} bytes`],
  ],
  [
    'a wrong value in a file with a byte order mark',
    `\uFEFF${changed(['cluster: web', 'cluster: 7'])}`,
    ['1:10 cluster: must be text, got 7 (put it in quotes: "7")'],
  ],
  [
    'a wrong value in a file with carriage returns',
    changed(['vrid: 51', 'vrid: 0']).replaceAll('\n', '\r\n'),
    ['7:11 virtualRouters[0].vrid: must be at least 1, got 0'],
  ],
  [
    'names of object members as keys',
    changed(['    scheduler: wrr', '    __proto__: 1\n    constructor: { prototype: 1 }']),
    [
      '20:5 services[0].__proto__: unknown key (known here: name, listen, fwmark, ' +
        'marks, family, scheduler, schedulerFlags, forward, tunnel, persistence, onePacket, ' +
        'check, checks, checksNeeded, health, whenDown, whenAllDown, sorryServer, servers)',
      '21:5 services[0].constructor: unknown key (known here: name, listen, fwmark, ' +
        'marks, family, scheduler, schedulerFlags, forward, tunnel, persistence, onePacket, ' +
        'check, checks, checksNeeded, health, whenDown, whenAllDown, sorryServer, servers)',
    ],
  ],
];

for (const [title, text, problems] of badTexts) {
  test(`the operator is told of ${title}`, () => {
    assert.deepEqual(
      problemsOf(text),
      problems.map((problem) => `tandem.yaml:${problem}`),
    );
  });
}

test('a value behind an alias is told where it is written', () => {
  const shared = changed(
    ['    check:\n', '    check: &check\n'],
    ['interval: 2s', 'interval: 1ms'],
    [
      'weight: 1 }',
      'weight: 1 }\n  - name: other\n    listen: tcp://172.25.254.100:81\n    forward: nat\n' +
        '    check: *check\n    servers: [{ address: 192.168.0.10 }]',
    ],
  );
  assert.deepEqual(problemsOf(shared), [
    'tandem.yaml:25:17 services[0].check.interval: must be at least 100ms, got 1ms',
    'tandem.yaml:25:17 services[1].check.interval: must be at least 100ms, got 1ms',
  ]);
});

test('a very large number of problems is told up to a bound', () => {
  const unknown = Array.from({ length: 1000 }, (_, index) => `x${index}x: 1\n`).join('');
  const problems = problemsOf(soundConfig + unknown);
  assert.equal(problems.length, 501);
  assert.equal(problems.at(-1), 'tandem.yaml:530:1 and 500 more problems from here on');
});
